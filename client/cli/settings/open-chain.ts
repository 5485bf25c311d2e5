/**
 * The chain for one command: settings from flags and environment, the local network's own chain for `--network local`,
 * a connection that is closed again however the command ends. Loads `@polkadot/api` only when it connects.
 */
import { join } from 'node:path';
import { type NetworkSettings, readNetworkSettings } from '#shared/chain/network-settings.ts';
import { createNodeCommitStore } from '#shared/chain/node-commit-store.ts';
import type { Chain } from '#shared/chain/ports.ts';
import { silentLog, systemClock, systemRandom } from '#shared/primitives/effects.ts';
import { orFail, usageError } from '../command-failed.ts';
import type { Cli } from '../command-spec.ts';
import type { Given } from '../given.ts';
import { findLocalNetwork } from './edge-choice.ts';

const CONNECT_TIMEOUT_MS = 15_000;

export type ChainSettings = Pick<NetworkSettings, 'network' | 'endpoint' | 'netuid' | 'pace'>;

const networkFlag = (given: Given) => given.text('network', 'subtensor.network');

/** True when a chain was named: what only the chain knows is wanted. */
export const namesChain = ({ environment }: Cli, given: Given): boolean =>
  [networkFlag(given), given.text('netuid'), environment.FILETAO_SUBTENSOR, environment.FILETAO_NETUID].some(Boolean);

export function chainSettings(cli: Cli, given: Given): ChainSettings {
  const flags = { '--network': networkFlag(given), '--netuid': given.text('netuid') };
  const read = readNetworkSettings(flags, cli.environment);
  if (!read.ok) throw usageError(read.lines.join('; '));
  const { settings } = read;
  const local = settings.network === 'local' ? findLocalNetwork(cli)?.chain : undefined;
  return local ? { ...settings, endpoint: local.endpoint } : settings;
}

export async function withChain<T>(
  cli: Cli,
  given: Given,
  use: (chain: Chain, settings: ChainSettings) => Promise<T>,
): Promise<T> {
  const settings = chainSettings(cli, given);
  cli.out.note(`Asking ${settings.endpoint} …`);
  const { connectSubstrateChain } = await import('#shared/chain/substrate-chain.ts');
  const chain = orFail(
    await connectSubstrateChain({
      endpoint: settings.endpoint,
      pace: settings.pace,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      // The command sets no weights; the port wants to know where commits would be kept.
      commits: createNodeCommitStore(join(cli.places.state, 'commits.json')),
    }),
  );
  try {
    return await use(chain, settings);
  } finally {
    await chain.close();
  }
}
