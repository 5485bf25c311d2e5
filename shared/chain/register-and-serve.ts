/**
 * What a miner's short-lived child process does on the chain before the miner starts: see that the hotkey is
 * registered, announce the axon, end. The child's `main.ts` connects (`substrate-chain.ts`), calls this and prints the
 * outcome; the miner itself never loads `@polkadot/api`.
 */
import { fail, type Result, succeed } from '#shared/primitives/failure.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import { type ChainFailure, plainFailure } from './chain-failure.ts';
import type { AxonClaim, ChainHeads, MetagraphReader, NeuronActions } from './ports.ts';

/** What axons of this project say: the version of what they speak, not of the program. */
export const AXON_VERSION = 1;

export interface ServeRequest {
  readonly netuid: number;
  readonly hotkey: Signer;
  readonly claim: AxonClaim;
  /** Given: an unregistered hotkey is registered and this key pays. Absent: it is refused with what to do. */
  readonly registration?: { readonly coldkey: Signer; readonly burnAtMostRao: bigint };
}

export interface Serving {
  readonly uid: number;
  readonly registered: 'before' | 'now';
  readonly axon: 'served' | 'unchanged';
  /** Raw 32 bytes: the network that every signed statement names. */
  readonly genesisHash: Uint8Array;
}

export async function registerAndServe(
  chain: ChainHeads & MetagraphReader & NeuronActions,
  { netuid, hotkey, claim, registration }: ServeRequest,
): Promise<Result<Serving, ChainFailure>> {
  const before = await chain.registration(netuid, hotkey.hotkey);
  if (!before.ok) return before;
  let uid = before.value?.uid;
  if (uid === undefined) {
    if (!registration) {
      const message = `hotkey ${hotkey.hotkey} is not registered in subnet ${netuid}: filetao wallet register --netuid ${netuid}`;
      return fail(plainFailure('not-registered', message));
    }
    const registered = await chain.register({ netuid, hotkey: hotkey.hotkey, ...registration });
    if (!registered.ok) return registered;
    uid = registered.value.uid;
  }
  const served = await chain.serveAxon(netuid, hotkey, claim);
  if (!served.ok) return served;
  const { genesisHash } = chain;
  return succeed({ uid, registered: before.value ? 'before' : 'now', axon: served.value.kind, genesisHash });
}
