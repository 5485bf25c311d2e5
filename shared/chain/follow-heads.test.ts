import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '#shared/primitives/effects.ts';
import { followHeads, type HeadSource } from './follow-heads.ts';
import type { Header } from './header.ts';

const hashOf = (number: number): Uint8Array => new Uint8Array(32).fill(number % 251);
const headerOf = (number: number): Header => ({ number, hash: hashOf(number), parentHash: hashOf(number - 1) });
const clock = { ...systemClock, sleep: async () => undefined };

/** A source that lets its reader see only some heads, and fails some requests. */
function sourceOf(visible: readonly number[], failures: readonly boolean[] = []): HeadSource & { asked: number } {
  const fails = [...failures];
  return {
    asked: 0,
    async newerThan(number) {
      const next = visible.find((candidate) => candidate > number);
      return next === undefined ? undefined : headerOf(next);
    },
    async hashes(from, to) {
      this.asked++;
      if (fails.shift()) throw new Error('away');
      return Array.from({ length: to - from + 1 }, (_, i) => hashOf(from + i));
    },
  };
}

async function numbersOf(source: HeadSource, after?: number) {
  const seen: number[] = [];
  for await (const { number, hash } of followHeads(source, clock, after === undefined ? {} : { after })) {
    expect(hash).toEqual(hashOf(number));
    seen.push(number);
  }
  return seen;
}

const span = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('finalized heads', () => {
  it('leave no gap and repeat nothing, whatever was missed and whatever failed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 50 }),
        fc.array(fc.boolean(), { maxLength: 20 }),
        async (heads, failures) => {
          const visible = heads.toSorted((a, b) => a - b);
          expect(await numbersOf(sourceOf(visible, failures), 0)).toEqual(span(1, visible.at(-1) as number));
        },
      ),
    );
  });

  it('begin with the newest when nothing was seen before', async () => {
    expect(await numbersOf(sourceOf([500, 501, 504]))).toEqual(span(500, 504));
  });

  it('need no request for one missed block: a header names its parent', async () => {
    const source = sourceOf([10, 12, 14]);
    expect(await numbersOf(source)).toEqual(span(10, 14));
    expect(source.asked).toBe(0);
  });

  it('end with the signal, in the middle of a catch-up too', async () => {
    const stop = new AbortController();
    const seen: number[] = [];
    for await (const { number } of followHeads(sourceOf([900]), clock, { after: 0, signal: stop.signal })) {
      seen.push(number);
      if (number === 150) stop.abort();
    }
    expect(seen).toEqual(span(1, 150));
  });
});
