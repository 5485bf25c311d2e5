import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { newLink, PacedPipe } from './paced-pipe.ts';

const through = async (bytes: number, pieceBytes: number, pipe: PacedPipe) => {
  const data = Buffer.alloc(bytes, 7);
  const pieces = Array.from({ length: bytes / pieceBytes }, (_, i) =>
    data.subarray(i * pieceBytes, (i + 1) * pieceBytes),
  );
  const began = performance.now();
  const out = await buffer(Readable.from(pieces).pipe(pipe));
  return { same: out.equals(data), ms: performance.now() - began };
};

it('adds its delay once, not once a piece', async () => {
  const { same, ms } = await through(1 << 20, 1 << 14, new PacedPipe(newLink(100)));
  expect(same).toBe(true);
  expect(ms).toBeGreaterThanOrEqual(95);
  expect(ms).toBeLessThan(1000);
});

it('holds every pipe of a link to the bandwidth of the link', async () => {
  const link = newLink(0, 4 << 20);
  const both = await Promise.all([
    through(1 << 20, 1 << 16, new PacedPipe(link)),
    through(1 << 20, 1 << 16, new PacedPipe(link)),
  ]);
  expect(both.every(({ same }) => same)).toBe(true);
  expect(Math.max(...both.map(({ ms }) => ms))).toBeGreaterThanOrEqual(450);
});

it('ends an empty stream', async () => {
  expect((await through(0, 1, new PacedPipe(newLink(10)))).same).toBe(true);
});
