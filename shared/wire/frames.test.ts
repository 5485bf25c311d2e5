import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter, concatBytes, toHex } from '#shared/primitives/bytes.ts';
import { type AnchorId, hexId } from '#shared/primitives/ids.ts';
import { encodeFrameHead, FRAME_HEAD_BYTES, type FrameEvent, FrameParser, STREAM_END } from './frames.ts';
import { MAX_LABEL_BYTES, MAX_SHARD_BYTES } from './limits.ts';
import type { ShardFrame } from './ports.ts';

const frames = fc.array(
  fc.record({
    anchorId: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => hexId<AnchorId>(bytes, 32)),
    ref: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    holdUntilMs: fc.nat(),
    label: fc.uint8Array({ maxLength: MAX_LABEL_BYTES }),
    shard: fc.uint8Array({ minLength: 32, maxLength: 400 }),
  }),
  { maxLength: 4 },
);
const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 30 });

const encode = (list: readonly ShardFrame[], end = true): Uint8Array =>
  concatBytes(...list.flatMap((frame) => [encodeFrameHead(frame), frame.shard]), ...(end ? [STREAM_END] : []));

/** Cuts bytes into pieces of the given lengths, over and over. */
function* cut(bytes: Uint8Array, lengths: readonly number[]): Iterable<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] as number;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

/** Everything that a parser says, with the pieces of each shard joined. */
function parse(chunks: Iterable<Uint8Array>) {
  const parser = new FrameParser();
  const said: { frame?: ShardFrame; complete?: boolean; end?: true; refused?: string }[] = [];
  for (const chunk of chunks) {
    for (const event of parser.push(chunk)) take(event);
  }
  function take(event: FrameEvent): void {
    if (event.kind === 'end') said.push({ end: true });
    if (event.kind === 'refused') said.push({ refused: event.failure.code });
    if (event.kind === 'frame') {
      const { anchorId, ref, holdUntilMs, label } = event.head;
      said.push({ frame: { anchorId, ref, holdUntilMs, label, shard: new Uint8Array(0) } });
    }
    if (event.kind === 'piece') {
      const last = said.at(-1);
      if (!last?.frame) throw new Error('a piece without its frame');
      expect(event.bytes.length).toBeGreaterThan(0);
      const frame = { ...last.frame, shard: concatBytes(last.frame.shard, event.bytes) };
      said[said.length - 1] = event.last ? { frame, complete: true } : { frame };
    }
  }
  return { said, finish: parser.finish()?.code, idle: parser.idle };
}

describe('frames', () => {
  it('come back the same however they are cut', () => {
    fc.assert(
      fc.property(frames, cuts, (list, lengths) => {
        const { said, finish } = parse(cut(encode(list), lengths));
        expect(said).toEqual([...list.map((frame) => ({ frame, complete: true })), { end: true }]);
        expect(finish).toBeUndefined();
      }),
    );
  });
  it('are missed wherever a stream is cut off', () => {
    fc.assert(
      fc.property(frames, fc.nat(), (list, seed) => {
        const bytes = encode(list);
        const { said, finish } = parse([bytes.subarray(0, seed % bytes.length)]);
        expect(said.some((event) => event.end)).toBe(false);
        expect(finish).toBe('truncated');
      }),
    );
  });
  it('never make the parser throw, and a refusal is the last word', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), cuts, (bytes, lengths) => {
        const { said } = parse(cut(bytes, lengths));
        const at = said.findIndex((event) => event.refused);
        if (at >= 0) expect(at).toBe(said.length - 1);
      }),
    );
  });
  it('are parsed without copying a shard', () => {
    const [frame] = fc.sample(
      frames.filter((list) => list.length > 0),
      1,
    )[0] as ShardFrame[];
    const bytes = encode([frame as ShardFrame]);
    const piece = new FrameParser().push(bytes).find((event) => event.kind === 'piece');
    expect(piece?.kind === 'piece' && piece.bytes.buffer === bytes.buffer).toBe(true);
  });
  it('keep the label when the chunk is used again', () => {
    const label = Uint8Array.of(1, 2, 3);
    const frame = { anchorId: 'ab'.repeat(32) as AnchorId, ref: 1n, holdUntilMs: 2, label, shard: new Uint8Array(32) };
    const bytes = encode([frame]);
    const [event] = new FrameParser().push(bytes);
    bytes.fill(0);
    expect(event?.kind === 'frame' && toHex(event.head.label)).toBe('010203');
  });
  it('are where a stream may pause only between each other', () => {
    const frame = {
      anchorId: 'ab'.repeat(32) as AnchorId,
      ref: 1n,
      holdUntilMs: 2,
      label: new Uint8Array(0),
      shard: new Uint8Array(32),
    };
    const bytes = encode([frame], false);
    const parser = new FrameParser();
    expect(parser.idle).toBe(true);
    parser.push(bytes.subarray(0, 2));
    expect(parser.idle).toBe(false);
    parser.push(bytes.subarray(2, 60));
    expect(parser.idle).toBe(false);
    parser.push(bytes.subarray(60));
    expect(parser.idle).toBe(true);
  });

  const head = (shardBytes: number, holdUntilMs: bigint, labelBytes: number) =>
    new ByteWriter().u32(shardBytes).bytes(new Uint8Array(32)).u64(1n).u64(holdUntilMs).u16(labelBytes).finish();
  it.each([
    {
      id: 'an oversized shard by its first four bytes',
      bytes: head(MAX_SHARD_BYTES + 1, 0n, 0).subarray(0, 4),
      code: 'too-large',
    },
    { id: 'the largest number there is', bytes: Uint8Array.of(255, 255, 255, 255), code: 'too-large' },
    { id: 'a shard below 32 bytes', bytes: head(31, 0n, 0).subarray(0, 4), code: 'bad-frame' },
    { id: 'a label that is too long', bytes: head(32, 0n, MAX_LABEL_BYTES + 1), code: 'bad-frame' },
    { id: 'a hold beyond 2^53', bytes: head(32, 1n << 53n, 0), code: 'bad-frame' },
    { id: 'bytes after the end', bytes: concatBytes(STREAM_END, Uint8Array.of(0)), code: 'bad-frame' },
  ])('are refused for $id', ({ bytes, code }) => {
    expect(parse([bytes]).said.at(-1)).toEqual({ refused: code });
    expect(parse(cut(bytes, [1])).said.at(-1)).toEqual({ refused: code });
  });
  it('may be limited to less than the largest shard', () => {
    const events = new FrameParser(100).push(head(101, 0n, 0));
    expect(events).toMatchObject([{ kind: 'refused', failure: { code: 'too-large' } }]);
  });
  it('are not encoded out of range', () => {
    const frame = {
      anchorId: 'ab'.repeat(32) as AnchorId,
      ref: 1n,
      holdUntilMs: 2,
      label: new Uint8Array(0),
      shard: new Uint8Array(32),
    };
    expect(encodeFrameHead(frame).length).toBe(FRAME_HEAD_BYTES);
    expect(() => encodeFrameHead({ ...frame, shard: new Uint8Array(31) })).toThrow(RangeError);
    expect(() => encodeFrameHead({ ...frame, shard: new Uint8Array(MAX_SHARD_BYTES + 1) })).toThrow(RangeError);
    expect(() => encodeFrameHead({ ...frame, label: new Uint8Array(161) })).toThrow(RangeError);
  });
});
