import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '#shared/primitives/bytes.ts';
import { cutSegments, segmentCount, segmentLength, slicesOf } from './segment.ts';

async function* streamOf(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield piece;
}

async function cut(pieces: readonly Uint8Array[], segmentBytes: number, expected?: number): Promise<Uint8Array[]> {
  const segments: Uint8Array[] = [];
  for await (const segment of cutSegments(streamOf(pieces), segmentBytes, expected)) segments.push(segment);
  return segments;
}

describe('segments of a file', () => {
  it.each([
    [0, 4, 1],
    [1, 4, 1],
    [4, 4, 1],
    [5, 4, 2],
    [8, 4, 2],
    [9, 4, 3],
  ])('%i bytes in segments of %i are %i', (bytes, segmentBytes, count) => {
    expect(segmentCount(bytes, segmentBytes)).toBe(count);
  });

  it('add up to the file', () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.integer({ min: 1, max: 999 }), (bytes, segmentBytes) => {
        const lengths = Array.from({ length: segmentCount(bytes, segmentBytes) }, (_, i) =>
          segmentLength(bytes, segmentBytes, i),
        );
        expect(lengths.reduce((a, b) => a + b)).toBe(bytes);
        expect(lengths.slice(0, -1).every((length) => length === segmentBytes)).toBe(true);
      }),
    );
  });

  it.each([-1, 2, 0.5])('have no number %d of 2', (segment) => {
    expect(() => segmentLength(8, 4, segment)).toThrow('invariant broken');
  });
});

describe('slices of a range', () => {
  it('put together are the range, none of them empty', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 1, max: 999 }),
        fc.nat(),
        fc.nat(),
        (bytes, s, x, y) => {
          const [from = 0, to = 0] = [x % (bytes + 1), y % (bytes + 1)].sort((a, b) => a - b);
          let at = from;
          for (const slice of slicesOf(bytes, s, from, to)) {
            expect(slice.segment * s + slice.from).toBe(at);
            expect(slice.from).toBeLessThan(slice.to);
            expect(slice.to).toBeLessThanOrEqual(segmentLength(bytes, s, slice.segment));
            at = slice.segment * s + slice.to;
          }
          expect(at).toBe(to);
        },
      ),
    );
  });

  it('of an empty file are its one empty segment', () => {
    expect([...slicesOf(0, 4, 0, 0)]).toEqual([{ segment: 0, from: 0, to: 0 }]);
  });

  it.each([
    [8, 9],
    [-1, 2],
    [3, 2],
  ])('throw outside the file: %i to %i of 8', (from, to) => {
    expect(() => [...slicesOf(8, 4, from, to)]).toThrow('invariant broken');
  });
});

describe('cutSegments', () => {
  it('keeps every byte in order, whatever the pieces and the stated length', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 64 }),
        fc.option(fc.nat(1000), { nil: undefined }),
        async (pieces, segmentBytes, expected) => {
          const whole = concatBytes(...pieces);
          const segments = await cut(pieces, segmentBytes, expected);
          expect(concatBytes(...segments)).toEqual(whole);
          expect(segments.map((segment) => segment.length)).toEqual(
            Array.from({ length: segmentCount(whole.length, segmentBytes) }, (_, i) =>
              segmentLength(whole.length, segmentBytes, i),
            ),
          );
        },
      ),
    );
  });

  it('yields one empty segment of an empty stream', async () => {
    expect(await cut([], 4)).toEqual([new Uint8Array(0)]);
    expect(await cut([new Uint8Array(0)], 4)).toEqual([new Uint8Array(0)]);
  });

  it('hands out buffers of their own, which later pieces do not touch', async () => {
    const piece = Uint8Array.of(1, 2, 3, 4, 5, 6);
    const segments = await cut([piece, piece], 4);
    piece.fill(0);
    expect(segments.map((segment) => [...segment])).toEqual([
      [1, 2, 3, 4],
      [5, 6, 1, 2],
      [3, 4, 5, 6],
    ]);
    expect(new Set(segments.map((segment) => segment.buffer)).size).toBe(3);
  });

  it('allocates no more than a stated length needs', async () => {
    const [segment] = await cut([Uint8Array.of(1), Uint8Array.of(2, 3)], 1000, 3);
    expect(segment?.buffer.byteLength).toBe(3);
  });

  it('hands a segment out before the next piece is asked for', async () => {
    let asked = 0;
    async function* counting(): AsyncGenerator<Uint8Array> {
      for (;;) {
        asked++;
        yield new Uint8Array(4);
      }
    }
    const segments = cutSegments(counting(), 4);
    await segments.next();
    expect(asked).toBe(1);
    await segments.return();
  });

  it('passes a failure of the stream on, and closes it when its own consumer leaves', async () => {
    let closed = false;
    async function* failing(): AsyncGenerator<Uint8Array> {
      try {
        yield new Uint8Array(5);
        throw new Error('the client left');
      } finally {
        closed = true;
      }
    }
    await expect(async () => {
      for await (const _ of cutSegments(failing(), 10));
    }).rejects.toThrow('the client left');
    closed = false;
    for await (const _ of cutSegments(failing(), 2)) break;
    expect(closed).toBe(true);
  });
});
