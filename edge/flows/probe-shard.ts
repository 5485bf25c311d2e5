/**
 * Fetches one whole shard of one miner for the tenant, with the very request that a user's read sends: the miner cannot
 * tell them apart. Nothing is judged here: the tenant has the anchor. Called by the probe route.
 */
import { type EdgeResult, refuse } from '#edge/http/problem.ts';
import type { EdgePorts } from '#edge/ports.ts';
import { succeed } from '#shared/primitives/failure.ts';
import type { AnchorId, Hotkey } from '#shared/primitives/ids.ts';
import type { MinerFailure } from '#shared/wire/ports.ts';
import { reachMiners } from './reach-miners.ts';

export interface ProbeInput {
  readonly miner: Hotkey;
  readonly anchorId: AnchorId;
  readonly bytes: number;
  readonly signal: AbortSignal;
}

export interface Probed {
  readonly shard: Uint8Array;
  /** From asking the miner to its last byte, as this edge's clock shows it. */
  readonly elapsedMs: number;
}

/** @returns `absent`, `dropped` or `probe-failed` when it is the miner's doing; every other code is this edge's */
export async function probeShard(
  ports: Pick<EdgePorts, 'grants' | 'network' | 'admission' | 'transfer' | 'clock'>,
  { miner, anchorId, bytes, signal }: ProbeInput,
): Promise<EdgeResult<Probed>> {
  const reached = await reachMiners(ports);
  if (!reached.ok) return reached;
  const peer = reached.value.find(({ hotkey }) => hotkey === miner);
  if (!peer) return refuse('not-found', 'the directory of this edge does not list this miner');
  const claim = await ports.admission.claim(bytes, ports.clock, signal);
  if (!claim) return refuse('overloaded', 'this edge has too many transfers under way; try again shortly');
  try {
    const askedAtMs = ports.clock.nowMs();
    for await (const answer of ports.transfer.miners.readShards(peer, [{ anchorId, bytes }], signal)) {
      if (!answer.ok) return failureOf(answer.failure);
      return succeed({ shard: answer.value, elapsedMs: ports.clock.nowMs() - askedAtMs });
    }
    throw new Error('invariant broken: a read of one shard yields one answer');
  } finally {
    claim.release();
  }
}

function failureOf({ code, fault, message, problem }: MinerFailure): ReturnType<typeof refuse> {
  if (code === 'absent' || code === 'dropped') return refuse(code, 'the miner says so');
  // Ours, not the miner's: the tenant's connection ended.
  if (code === 'cancelled') return refuse('cancelled', message);
  // It takes this edge for none of its tenant's: nothing that the miner could be blamed for.
  if (fault === 'us') return refuse('no-grant', `the miner refuses this edge: ${message}`);
  return refuse('probe-failed', `${code}: ${message}`, { what: code, ...(problem === undefined ? {} : { problem }) });
}
