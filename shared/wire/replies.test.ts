import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter, concatBytes } from '#shared/primitives/bytes.ts';
import { MAX_PROBLEM_BYTES, MAX_SHARD_BYTES } from './limits.ts';
import {
  encodeItemHead,
  encodeReply,
  RECEIPT_BYTES,
  ReadAnswerParser,
  type ReadItem,
  type Reply,
  ReplyParser,
} from './replies.ts';

const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 30 });
const problemBody = fc.uint8Array({ minLength: 1, maxLength: 200 });

function pushAll<T>(
  parser: { push(chunk: Uint8Array): { readonly items: readonly T[]; readonly failure?: unknown } },
  bytes: Uint8Array,
  lengths: readonly number[],
): T[] {
  const items: T[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] as number;
    items.push(...parser.push(bytes.subarray(at, at + length)).items);
    at += length;
  }
  return items;
}

describe('replies', () => {
  const reply = fc.record({ ref: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }).chain(({ ref }) =>
    fc.oneof(
      fc
        .uint8Array({ minLength: RECEIPT_BYTES, maxLength: RECEIPT_BYTES })
        .map((body): Reply => ({ kind: 'receipt', ref, body })),
      problemBody.map((body): Reply => ({ kind: 'problem', ref, body })),
    ),
  );
  const replies = fc.array(reply, { maxLength: 5 });

  it('come back the same however they are cut', () => {
    fc.assert(
      fc.property(replies, cuts, (list, lengths) => {
        const parser = new ReplyParser();
        expect(pushAll(parser, concatBytes(...list.map(encodeReply)), lengths)).toEqual(list);
        expect(parser.finish()).toBeUndefined();
      }),
    );
  });
  it('are missed when cut inside', () => {
    fc.assert(
      fc.property(reply, fc.nat(), (one, seed) => {
        const bytes = encodeReply(one);
        const parser = new ReplyParser();
        expect(parser.push(bytes.subarray(0, 1 + (seed % (bytes.length - 1)))).items).toEqual([]);
        expect(parser.finish()?.code).toBe('truncated');
      }),
    );
  });
  it('never make the parser throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), cuts, (bytes, lengths) => {
        const parser = new ReplyParser();
        pushAll(parser, bytes, lengths);
        parser.finish();
      }),
    );
  });
  const head = (kind: number, length: number) => new ByteWriter().u8(kind).u64(7n).u32(length).finish();
  it.each([
    { id: 'kind 0', bytes: head(0, 5) },
    { id: 'kind 3', bytes: head(3, 5) },
    { id: 'a short receipt', bytes: head(1, RECEIPT_BYTES - 1) },
    { id: 'a long receipt', bytes: head(1, RECEIPT_BYTES + 1) },
    { id: 'an empty problem', bytes: head(2, 0) },
    { id: 'an oversized problem', bytes: head(2, MAX_PROBLEM_BYTES + 1) },
    { id: 'an endless problem', bytes: head(2, 2 ** 32 - 1) },
  ])('are refused for $id, and stay refused', ({ bytes }) => {
    const parser = new ReplyParser();
    expect(parser.push(bytes).failure).toMatchObject({ code: 'bad-reply', fault: 'peer' });
    expect(parser.push(new Uint8Array(500))).toMatchObject({ items: [], failure: { code: 'bad-reply' } });
    expect(parser.finish()?.code).toBe('bad-reply');
  });
});

describe('read answers', () => {
  const item = fc.oneof(
    fc.uint8Array({ maxLength: 400 }).map((body): ReadItem => ({ kind: 'shard', body })),
    problemBody.map((body): ReadItem => ({ kind: 'problem', body })),
  );
  const answers = fc.array(item, { minLength: 1, maxLength: 6 });
  const encode = (list: readonly ReadItem[]) =>
    concatBytes(...list.flatMap((one) => [encodeItemHead(one.kind, one.body.length), one.body]));
  const lengthsOf = (list: readonly ReadItem[]) => list.map((one) => (one.kind === 'shard' ? one.body.length : 9));

  it('come back the same however they are cut', () => {
    fc.assert(
      fc.property(answers, cuts, (list, lengths) => {
        const parser = new ReadAnswerParser(lengthsOf(list));
        expect(pushAll(parser, encode(list), lengths)).toEqual(list);
        expect(parser.finish()).toBeUndefined();
      }),
    );
  });
  it('are missed wherever they are cut off', () => {
    fc.assert(
      fc.property(answers, fc.nat(), (list, seed) => {
        const bytes = encode(list);
        const parser = new ReadAnswerParser(lengthsOf(list));
        parser.push(bytes.subarray(0, seed % bytes.length));
        expect(parser.finish()?.code).toBe('truncated');
      }),
    );
  });
  it('never make the parser throw', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 600 }),
        cuts,
        fc.array(fc.nat(200), { maxLength: 4 }),
        (bytes, lengths, expected) => {
          const parser = new ReadAnswerParser(expected);
          expect(pushAll(parser, bytes, lengths).length).toBeLessThanOrEqual(expected.length);
          parser.finish();
        },
      ),
    );
  });
  it.each([
    { id: 'a shard that is too short', bytes: encodeItemHead('shard', 99) },
    { id: 'a shard that is too long', bytes: encodeItemHead('shard', 101) },
    { id: 'an empty problem', bytes: encodeItemHead('problem', 0) },
    { id: 'an oversized problem', bytes: encodeItemHead('problem', MAX_PROBLEM_BYTES + 1) },
    { id: 'kind 0', bytes: Uint8Array.of(0, 0, 0, 0, 100) },
    { id: 'more than was asked', bytes: concatBytes(encodeItemHead('shard', 100), new Uint8Array(101)) },
  ])('are refused for $id', ({ bytes }) => {
    const parser = new ReadAnswerParser([100]);
    expect(parser.push(bytes).failure).toMatchObject({ code: 'bad-reply' });
  });
  it('are never expected to hold more than a shard', () => {
    expect(() => new ReadAnswerParser([MAX_SHARD_BYTES + 1])).toThrow(RangeError);
  });
});
