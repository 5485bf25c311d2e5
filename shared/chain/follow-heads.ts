/**
 * Every finalized block once and in order, out of a source that only tells the newest: what lies between is fetched.
 * Knows no transport; `head-watch.ts` is the source, a test can be one too.
 */
import type { Clock } from '#shared/primitives/effects.ts';
import type { Header } from './header.ts';
import type { BlockRef } from './ports.ts';

/** Block hashes asked for at once. */
const CHUNK = 100;
const RETRY_MS = 1_000;

export interface HeadSource {
  /** Waits for a finalized head above `number`, however long it takes; undefined when the signal ends the wait. */
  newerThan(number: number, signal: AbortSignal | undefined): Promise<Header | undefined>;
  /** Hashes of the finalized blocks `from` to `to`. Rejects when the node cannot say now. */
  hashes(from: number, to: number): Promise<readonly Uint8Array[]>;
}

export async function* followHeads(
  source: HeadSource,
  clock: Clock,
  options: { readonly after?: number; readonly signal?: AbortSignal } = {},
): AsyncGenerator<BlockRef, void, undefined> {
  const { signal } = options;
  let last = options.after;
  while (!signal?.aborted) {
    const head = await source.newerThan(last ?? -1, signal);
    if (!head) return;
    for (let from = (last ?? head.number - 1) + 1; from < head.number; from += CHUNK) {
      const to = Math.min(from + CHUNK, head.number) - 1;
      const hashes = await patiently(() => hashesBelow(source, head, from, to), clock, signal);
      for (const [i, hash] of (hashes ?? []).entries()) {
        if (signal?.aborted) return;
        yield { number: from + i, hash };
      }
    }
    if (signal?.aborted) return;
    yield { number: head.number, hash: head.hash };
    last = head.number;
  }
}

/** A head names its parent: one missed block costs no request. */
async function hashesBelow(source: HeadSource, head: Header, from: number, to: number): Promise<readonly Uint8Array[]> {
  if (from === head.number - 1) return [head.parentHash];
  const hashes = await source.hashes(from, to);
  if (hashes.length !== to - from + 1) throw new Error(`${hashes.length} hashes for blocks ${from} to ${to}`);
  return hashes;
}

/** A block that cannot be had now is asked for again: leaving it out would be a gap. */
async function patiently<T>(
  action: () => Promise<T>,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  while (!signal?.aborted) {
    try {
      return await action();
    } catch {
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }
  return undefined;
}
