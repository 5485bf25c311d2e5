import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { patternBytes, pieceSource } from '#edge/testing/sources.ts';
import { concatBytes } from '#shared/primitives/bytes.ts';
import { BodyRefused } from './body-refused.ts';
import { type BodyLimits, bodySegments } from './body-segments.ts';
import { streamSource } from './stream-source.ts';

const limits = (over: Partial<BodyLimits> = {}): BodyLimits => ({
  segmentBytes: 100,
  maxBytes: 10_000,
  overMax: () => new BodyRefused('too-large', 'too large'),
  ...over,
});

async function cut(source: Parameters<typeof bodySegments>[0], over?: Partial<BodyLimits>) {
  const shown: Uint8Array[] = [];
  const segments: Uint8Array[] = [];
  for await (const segment of bodySegments(source, limits(over), (piece) => shown.push(piece.slice()))) {
    segments.push(segment);
  }
  return { segments, shown: concatBytes(...shown) };
}

describe('a body', () => {
  test('becomes full segments and a last one, every byte shown once, however it arrives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 450 }),
        fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        async (length, sizes, announced) => {
          const bytes = patternBytes(length, length + 1);
          const over = announced ? { expectedBytes: length } : {};
          const { segments, shown } = await cut(pieceSource(bytes, sizes), over);
          expect(concatBytes(...segments)).toEqual(bytes);
          expect(shown).toEqual(bytes);
          expect(segments.length).toBe(Math.max(1, Math.ceil(length / 100)));
          for (const segment of segments.slice(0, -1)) expect(segment.length).toBe(100);
        },
      ),
    );
  });

  test.each([
    { id: 'shorter than announced', bytes: 99, expectedBytes: 100, code: 'length-mismatch' },
    { id: 'longer than announced', bytes: 101, expectedBytes: 100, code: 'length-mismatch' },
    { id: 'not empty as announced', bytes: 1, expectedBytes: 0, code: 'length-mismatch' },
    { id: 'empty against the announcement', bytes: 0, expectedBytes: 1, code: 'length-mismatch' },
    { id: 'larger than allowed', bytes: 201, maxBytes: 200, code: 'too-large' },
  ])('is refused when $id', async ({ bytes, code, ...over }) => {
    const error = await cut(pieceSource(patternBytes(bytes), [33]), over).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BodyRefused);
    expect((error as BodyRefused).failure.code).toBe(code);
  });

  test('of exactly the limit is taken', async () => {
    expect((await cut(pieceSource(patternBytes(200), [33]), { maxBytes: 200 })).segments.length).toBe(2);
  });
});

describe('a request body', () => {
  const request = (body: BodyInit) => new Request('https://edge.test', { method: 'PUT', body });
  test('is read in place', async () => {
    const bytes = patternBytes(300_000);
    const source = streamSource(request(bytes).body);
    const { segments } = await cut(source, { segmentBytes: 131_072, maxBytes: 1e9 });
    expect(segments.map((segment) => segment.length)).toEqual([131_072, 131_072, 37_856]);
    expect(concatBytes(...segments)).toEqual(bytes);
  });

  test('that is absent is empty', async () => {
    expect((await cut(streamSource(null))).segments).toEqual([new Uint8Array(0)]);
  });

  test('that breaks off is refused as truncated', async () => {
    let pulls = 0;
    const broken = new ReadableStream({
      type: 'bytes',
      pull(controller) {
        if (pulls++ === 0) controller.enqueue(patternBytes(50));
        else controller.error(new Error('connection lost'));
      },
    });
    const error = await cut(streamSource(broken)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BodyRefused);
    expect((error as BodyRefused).failure.code).toBe('truncated');
  });
});
