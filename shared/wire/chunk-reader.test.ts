import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '#shared/primitives/bytes.ts';
import { chunkReader } from './chunk-reader.ts';

/** A body in these pieces; of bytes, as networks' are, or not. */
function bodyOf(pieces: readonly Uint8Array[], type: 'bytes' | undefined, error?: Error): ReadableStream<Uint8Array> {
  const left = pieces.map((piece) => piece.slice());
  const source = {
    pull(controller: ReadableByteStreamController | ReadableStreamDefaultController<Uint8Array>) {
      const piece = left.shift();
      if (piece) return controller.enqueue(piece as Uint8Array<ArrayBuffer>);
      if (error) return controller.error(error);
      controller.close();
      // A read into a caller's buffer that waits is told so.
      if ('byobRequest' in controller) controller.byobRequest?.respond(0);
    },
  };
  const made = type
    ? new ReadableStream({ ...source, type } as UnderlyingByteSource, { highWaterMark: 0 })
    : new ReadableStream(source as UnderlyingDefaultSource<Uint8Array>, { highWaterMark: 0 });
  return made as ReadableStream<Uint8Array>;
}

async function readAll(body: ReadableStream<Uint8Array>, bodyBytes: number): Promise<Uint8Array> {
  const reader = chunkReader(body, bodyBytes);
  const chunks: Uint8Array[] = [];
  for (let chunk = await reader.read(); chunk; chunk = await reader.read()) chunks.push(chunk.slice());
  return concatBytes(...chunks);
}

describe.each(['bytes', undefined] as const)('a body of type %s', (type) => {
  it('is read whole in order, however it comes and however long it was thought to be', async () => {
    const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.nat(500), async (sent, bodyBytes) => {
        expect(await readAll(bodyOf(sent, type), bodyBytes)).toEqual(concatBytes(...sent));
      }),
      { numRuns: 50 },
    );
  });

  it('rejects when it breaks', async () => {
    const broken = bodyOf([new Uint8Array(10)], type, new Error('cut'));
    await expect(readAll(broken, 100)).rejects.toThrow('cut');
  });

  it('can be left before its end', async () => {
    const reader = chunkReader(bodyOf([new Uint8Array(10), new Uint8Array(10)], type), 20);
    expect((await reader.read())?.length).toBe(10);
    await reader.cancel();
    await expect(reader.read()).resolves.toBeUndefined();
  });
});

it('a body of bytes is read into the same memory again and again', async () => {
  const reader = chunkReader(bodyOf([new Uint8Array(10).fill(1), new Uint8Array(10).fill(2)], 'bytes'), 10);
  const first = await reader.read();
  expect(first?.[0]).toBe(1);
  const second = await reader.read();
  expect([first?.length, second?.[0], second?.buffer.byteLength]).toEqual([0, 2, 10]);
});
