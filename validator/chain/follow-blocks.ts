/**
 * Finalized blocks for all jobs, from one subscription: the newest, hashes by number, a wait for the next. A chain that
 * is away only makes everybody wait; when it is away for long, one line says so, and one says that it is back.
 * Started by `main.ts`.
 */
import type { BlockRef, ChainHeads } from '#shared/chain/ports.ts';
import type { Clock, Log } from '#shared/primitives/effects.ts';
import type { FinalizedBlocks } from '#validator/ports.ts';

/** Ten blocks of Bittensor without one. */
const SILENT_MS = 120_000;

export interface FollowedBlocks extends FinalizedBlocks {
  /** Resolves when the signal that it was started with has ended it. */
  readonly ended: Promise<void>;
}

/** @param first the newest finalized block at the start */
export function followBlocks(
  chain: ChainHeads,
  first: BlockRef,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): FollowedBlocks {
  let newest = first;
  let heardMs = clock.nowMs();
  let silent = false;
  const waiting = new Set<() => void>();

  const follow = async () => {
    for await (const block of chain.finalizedHeads({ after: first.number, signal })) {
      newest = block;
      heardMs = clock.nowMs();
      if (silent) log.info('chain-back', { block: block.number });
      silent = false;
      for (const wake of [...waiting]) wake();
    }
  };
  const watch = async () => {
    while (!signal.aborted) {
      await clock.sleep(SILENT_MS, signal).catch(() => undefined);
      if (signal.aborted || silent || clock.nowMs() - heardMs < SILENT_MS) continue;
      silent = true;
      log.warn('chain-silent', { block: newest.number, seconds: Math.round((clock.nowMs() - heardMs) / 1000) });
    }
  };

  return {
    newest: () => newest,
    hash: (number) => chain.blockHash(number),
    above: (number, ended) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (ended?.aborted) reject(ended.reason);
          else if (newest.number > number) resolve(newest);
          else return;
          waiting.delete(look);
          ended?.removeEventListener('abort', look);
        };
        waiting.add(look);
        ended?.addEventListener('abort', look);
        look();
      }),
    ended: Promise.all([follow(), watch()]).then(() => undefined),
  };
}
