import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '#shared/primitives/bytes.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { type AnchorId, type FileId, hotkeyOf } from '#shared/primitives/ids.ts';
import { LABEL_BYTES, type Label, labelEpoch, labelKeyOf, openLabel, sealLabel } from './label.ts';

const secret = new Uint8Array(32).fill(0x42);
const key = await labelKeyOf(secret, 7);
const foreignKey = await labelKeyOf(new Uint8Array(32), 7);
const laterKey = await labelKeyOf(secret, 8);
const place = { anchorId: 'ab'.repeat(32) as AnchorId, miner: hotkeyOf(new Uint8Array(32).fill(3)) };
const label: Label = {
  fileId: '01'.repeat(16) as FileId,
  codingId: new Uint8Array(16).fill(2),
  segment: 5,
  shardIndex: 6,
  placement: 1,
  k: 4,
  n: 10,
  segmentBytes: 4_194_304,
  fileBytes: 123_456_789,
};

/** `label`, nonce 09…, computed apart from this code with HMAC and AES-GCM of other libraries. */
const KNOWN =
  '0007090909090909090909090909336285d579ad37d0c34f43a70db2aa492246381cb113f6fb9105a10615c781bb0b549ef6479dc39d98bf69c3c0681fc4a3d94a692963c1ab00abb35a14afadf3d11eff018a184f9a';

const u16 = fc.nat(0xffff);
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const labels = fc
  .record({
    fileId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => toHex(bytes) as FileId),
    codingId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    segment: u32,
    shardIndex: u16,
    placement: u16,
    k: u16,
    n: u16,
    segmentBytes: u32,
    fileBytes: fc.option(fc.maxSafeNat(), { nil: undefined }),
  })
  .map(({ fileBytes, ...rest }): Label => (fileBytes === undefined ? rest : { ...rest, fileBytes }));

describe('labels', () => {
  it('open to what was sealed, in 86 bytes, under the limit of 160', async () => {
    await fc.assert(
      fc.asyncProperty(labels, async (value) => {
        const sealed = await sealLabel(key, place, value, systemRandom);
        expect(sealed).toHaveLength(LABEL_BYTES);
        expect(labelEpoch(sealed)).toBe(7);
        expect(await openLabel(key, place, sealed)).toEqual({ ok: true, value });
      }),
      { numRuns: 50 },
    );
  });

  it('have the bytes that the protocol draws', async () => {
    const sealed = await sealLabel(key, place, label, (bytes) => new Uint8Array(bytes).fill(9));
    expect(toHex(sealed)).toBe(KNOWN);
    expect(await openLabel(key, place, fromHex(KNOWN) as Uint8Array)).toEqual({ ok: true, value: label });
  });

  it('never repeat, for a nonce is drawn each time', async () => {
    const [a, b] = [await sealLabel(key, place, label, systemRandom), await sealLabel(key, place, label, systemRandom)];
    expect(toHex(a)).not.toBe(toHex(b));
  });

  it('are refused with any one bit changed', async () => {
    const sealed = await sealLabel(key, place, label, systemRandom);
    for (let bit = 0; bit < 8 * LABEL_BYTES; bit++) {
      const forged = sealed.slice();
      forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7));
      expect((await openLabel(key, place, forged)).ok).toBe(false);
    }
  });

  it.each([
    ['another shard', key, { ...place, anchorId: 'ac'.repeat(32) as AnchorId }],
    ['another miner', key, { ...place, miner: hotkeyOf(new Uint8Array(32)) }],
    ['another secret', foreignKey, place],
    ['another mask epoch', laterKey, place],
  ])('are refused for %s', async (_, otherKey, otherPlace) => {
    const sealed = await sealLabel(key, place, label, systemRandom);
    expect((await openLabel(otherKey, otherPlace, sealed)).ok).toBe(false);
  });

  it.each([0, 1, 30, LABEL_BYTES - 1, LABEL_BYTES + 1, 160])('are refused with %i bytes', async (length) => {
    expect((await openLabel(key, place, new Uint8Array(length))).ok).toBe(false);
  });
});
