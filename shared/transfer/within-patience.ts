/**
 * One request to one miner, given up after a time that follows from what it moves: for transfers that have no other
 * miners to compare with. Used by the parts of `rebuild-shards.ts`.
 */
import type { Clock } from '#shared/primitives/effects.ts';
import { fail, type Result } from '#shared/primitives/failure.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { MinerFailure } from '#shared/wire/ports.ts';
import { DEFAULT_PACE, type Pace } from './pace.ts';
import { untilAborted } from './wake.ts';

/** The slowest line that is waited for, bytes a millisecond: 2 Mbit/s. */
const SLOWEST = 256;

export async function withinPatience<T>(
  { clock, pace = DEFAULT_PACE }: { readonly clock: Clock; readonly pace?: Pace },
  miner: Hotkey,
  bytes: number,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<Result<T, MinerFailure>>,
): Promise<Result<T, MinerFailure>> {
  const over = new AbortController();
  const ended = new AbortController();
  const limit = clock.sleep(pace.replyMs + bytes / SLOWEST, AbortSignal.any([ended.signal, signal])).then(
    () => over.abort(),
    () => undefined,
  );
  const either = AbortSignal.any([signal, over.signal]);
  const late = (): Result<T, MinerFailure> =>
    signal.aborted
      ? fail({ code: 'cancelled', fault: 'us', message: 'no longer waited for', miner })
      : fail({ code: 'unreachable', fault: 'peer', message: 'the miner stayed silent for too long', miner });
  const answer = await untilAborted(ask(either), either, late);
  ended.abort();
  await limit;
  return !answer.ok && answer.failure.code === 'cancelled' ? late() : answer;
}
