import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '#shared/primitives/bytes.ts';
import { hotkeyOf } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { referenceKernel } from '#shared/testing/reference-kernel.ts';
import { vectorData } from '#shared/testing/vector-data.ts';
import vectors from '../../test/vectors/coding-v1.json' with { type: 'json' };
import { anchorIdOf, anchorOf, levelsOf } from './anchor.ts';
import { codingKeyOf, maskCheckOf, maskKeyOf, maskShard } from './mask.ts';
import { proveLeaves, verifyBody } from './multiproof.ts';

const bytes = (text: string): Uint8Array => fromHex(text) as Uint8Array;
const { mask } = vectors;
const miner = hotkeyOf(bytes(mask.miner));

/** 1/(r ⊕ c) for c = 0 … 3, found by trying. */
const parityRow = (r: number): Uint8Array =>
  Uint8Array.from({ length: 4 }, (_, c) => {
    const product = new Uint8Array(1);
    for (let y = 1; y < 256; y++) {
      referenceKernel.multiply(Uint8Array.of(r ^ c), [Uint8Array.of(y)], [product]);
      if (product[0] === 1) return y;
    }
    return 0;
  });

/** Shard `index` of the (4, 10) coding of 5000 bytes, straight from its definition (por/v1 §3). */
function codedShard(index: number): Uint8Array {
  const whole = vectorData(5000);
  const coded = [0, 1, 2, 3].map((c) => whole.subarray(1250 * c, 1250 * (c + 1)));
  const data = coded[index];
  if (data) return data;
  const parity = new Uint8Array(1250);
  referenceKernel.multiply(parityRow(index), coded, [parity]);
  return parity;
}

describe('masks', () => {
  const codingKey = codingKeyOf(bytes(mask.secret), bytes(mask.codingId));

  it('derive the known coding key', () => {
    expect(toHex(codingKey)).toBe(mask.codingKey);
  });

  it.each(mask.cases)(
    'agree with the known answer for segment $segment, shard $shardIndex, placement $placement',
    async (known) => {
      const { segment, shardIndex, placement } = known;
      const key = maskKeyOf(codingKey, { segment, shardIndex, placement, miner });
      expect(toHex(key)).toBe(known.key);
      expect(toHex(await maskShard(key, new Uint8Array(32)))).toBe(known.keystream32);
      const masked = await maskShard(key, codedShard(Number(known.shard.split('index ')[1])));
      expect(toHex(sha256(masked))).toBe(known.maskedSha256);
      expect(anchorIdOf(anchorOf(referenceKernel, masked))).toBe(known.anchorId);
    },
  );

  it('are taken off by masking again, and leave the shard alone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 3000 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        async (shard, key) => {
          const before = shard.slice();
          const masked = await maskShard(key, shard);
          expect(shard).toEqual(before);
          expect(await maskShard(key, masked)).toEqual(before);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('give another key for another segment, shard, placement, miner, file and epoch', () => {
    const place = { segment: 1, shardIndex: 2, placement: 3, miner };
    const otherFile = codingKeyOf(bytes(mask.secret), new Uint8Array(16));
    const otherEpoch = codingKeyOf(new Uint8Array(32), bytes(mask.codingId));
    const keys = [
      maskKeyOf(codingKey, place),
      maskKeyOf(codingKey, { ...place, segment: 2 }),
      maskKeyOf(codingKey, { ...place, shardIndex: 3 }),
      maskKeyOf(codingKey, { ...place, placement: 4 }),
      maskKeyOf(codingKey, { ...place, miner: hotkeyOf(new Uint8Array(32)) }),
      maskKeyOf(otherFile, place),
      maskKeyOf(otherEpoch, place),
    ];
    expect(new Set(keys.map(toHex)).size).toBe(keys.length);
  });

  it('have a check value that tells secrets and epochs apart and is none of their keys', () => {
    const secret = bytes(mask.secret);
    expect(toHex(maskCheckOf(new Uint8Array(32).fill(0x42), 7))).toBe('ce2e1c7be44e2ebf3120c4cdb493cb34');
    const flipped = secret.slice();
    flipped[31] = (flipped[31] ?? 0) ^ 1;
    const checks = [maskCheckOf(secret, 0), maskCheckOf(secret, 1), maskCheckOf(flipped, 0)];
    expect(new Set(checks.map(toHex)).size).toBe(3);
    expect(toHex(maskCheckOf(secret, 0))).toBe(toHex(checks[0] as Uint8Array));
    expect(toHex(codingKey)).not.toContain(toHex(checks[0] as Uint8Array));
    expect(() => maskCheckOf(secret.subarray(1), 0)).toThrow();
  });

  it('stop the generation attack: k colluding holders compute any shard without masks, and none with them', async () => {
    const combine = (shards: Uint8Array[]): Uint8Array => {
      const parity = new Uint8Array(1250);
      referenceKernel.multiply(parityRow(9), shards, [parity]);
      return parity;
    };
    const wanted = codedShard(9);
    const coded = [0, 1, 2, 3].map(codedShard);
    const passes = (shard: Uint8Array, stored: Uint8Array): boolean => {
      const levels = levelsOf(referenceKernel, referenceKernel.hashLeaves(shard));
      const body = proveLeaves(1250, levels, [0, 1], (i) => shard.subarray(1024 * i, 1024 * (i + 1)));
      return verifyBody(anchorOf(referenceKernel, stored), [0, 1], body).ok;
    };
    expect(passes(combine(coded), wanted)).toBe(true);

    const keyOf = (shardIndex: number) => maskKeyOf(codingKey, { segment: 0, shardIndex, placement: 0, miner });
    const masked = await Promise.all(coded.map((shard, i) => maskShard(keyOf(i), shard)));
    const stored = await maskShard(keyOf(9), wanted);
    expect(passes(stored, stored)).toBe(true);
    expect(passes(combine(masked), stored)).toBe(false);
  });
});
