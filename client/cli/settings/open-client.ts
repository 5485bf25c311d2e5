/** The library's client for the chosen edge, with the keys that the command needs and Node's own SHA-256. */
import type { Client } from '#client/client.ts';
import { createClient } from '#client/create-client.ts';
import { nodeSha256 } from '#client/node-client.ts';
import type { Cli } from '../command-spec.ts';
import type { Given } from '../given.ts';
import { chooseEdgeWithKey } from './edge-choice.ts';
import { keyringFor, type Purpose } from './keyring.ts';

/** @param purpose what the keys of private files are for; undefined: none are needed */
export async function openClient(cli: Cli, given: Given, purpose?: Purpose): Promise<Client> {
  const { url, apiKey } = await chooseEdgeWithKey(cli, given);
  const keys = purpose && (await keyringFor(cli, given, purpose));
  return createClient({ url, apiKey, keys, newDigest: nodeSha256 });
}
