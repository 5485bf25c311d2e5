/** What the edge says of the network: its account of miners and tiers, checked against the API's own schemas. */
import { callJson } from '#client/api-call.ts';
import { ClientError } from '#client/client-error.ts';
import { MinerDetailAnswer, MinersAnswer, NetworkAnswer } from '#shared/api/network-schemas.ts';
import { CommandFailed } from '../command-failed.ts';
import type { Cli } from '../command-spec.ts';
import { EXIT } from '../exit-codes.ts';
import type { Given } from '../given.ts';
import { connectionTo } from './connection.ts';
import { chooseEdge } from './edge-choice.ts';

/** A page of the list of miners: more than a subnet has. */
const MINERS = 1000;

export async function networkReader(cli: Cli, given: Given) {
  const { url, apiKey } = await chooseEdge(cli, given);
  const connection = connectionTo(url, apiKey);
  const { signal } = cli;
  const told = async <T>(read: Promise<T>, missing: string): Promise<T> => {
    try {
      return await read;
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'not-found') throw error;
      throw new CommandFailed('not-found', missing, EXIT.notFound);
    }
  };
  const nothing = `the validator of ${url} has told nothing about the network yet`;
  return {
    network: () => told(callJson(connection, { method: 'GET', path: 'network', signal }, NetworkAnswer), nothing),
    miners: () =>
      told(
        callJson(
          connection,
          { method: 'GET', path: 'network/miners', query: { limit: String(MINERS) }, signal },
          MinersAnswer,
        ),
        nothing,
      ),
    miner: (hotkey: string) =>
      told(
        callJson(
          connection,
          { method: 'GET', path: `network/miners/${encodeURIComponent(hotkey)}`, signal },
          MinerDetailAnswer,
        ),
        `${url} knows no miner ${hotkey}`,
      ),
  };
}
