import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '#shared/primitives/bytes.ts';
import { bytesOfHex, parseHeader } from './header.ts';
import { loadHashes, storageKey } from './raw/storage-key.ts';
import { compact, littleEndian, ScaleReader, vecU16 } from './scale.ts';

describe('SCALE', () => {
  it.each([
    { value: 0, hex: '00' },
    { value: 63, hex: 'fc' },
    { value: 64, hex: '0101' },
    { value: 16_383, hex: 'fdff' },
    { value: 16_384, hex: '02000100' },
    { value: 1_073_741_823, hex: 'feffffff' },
    { value: 1_073_741_824, hex: '0300000040' },
  ])('writes the compact $value as the specification does', ({ value, hex }) => {
    expect(toHex(compact(value))).toBe(hex);
  });

  it('reads what it writes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 65_535 }), { maxLength: 300 }), (values) => {
        const reader = new ScaleReader(vecU16(values));
        expect(reader.vec(2, () => reader.u16())).toEqual(values);
        expect(reader.finished).toBe(true);
      }),
    );
    expect(() => littleEndian(65_536, 2)).toThrow(RangeError);
    expect(() => littleEndian(-1, 2)).toThrow(RangeError);
  });

  it.each([
    { id: 'a list longer than its bytes', hex: '08010002' },
    { id: 'a list of a billion items', hex: 'feffffff' },
    { id: 'a length of the big mode', hex: '0700000000' },
    { id: 'bytes left over', hex: '040100ff' },
    { id: 'nothing', hex: '' },
  ])('does not accept $id', ({ hex }) => {
    const reader = new ScaleReader(bytesOfHex(`0x${hex}`) as Uint8Array);
    reader.vec(2, () => reader.u16());
    expect(reader.finished).toBe(false);
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const reader = new ScaleReader(bytes);
        const list = reader.vec(1, () => reader.bool());
        expect(list.length).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});

describe('block headers', () => {
  const header = {
    number: '0x3e8',
    parentHash: `0x${'01'.repeat(32)}`,
    stateRoot: `0x${'02'.repeat(32)}`,
    extrinsicsRoot: `0x${'03'.repeat(32)}`,
    digest: { logs: ['0x0661757261'] },
  };

  it('have the hash of their encoding', () => {
    const parsed = parseHeader(header);
    expect(parsed?.number).toBe(1000);
    expect(parsed && toHex(parsed.hash)).toBe('eae0dd0d59589ac16a5d89fc6307afd09d4be60f2d8c9ba4fc7313a1c5ee9319');
  });

  it.each([
    { id: 'null', value: null },
    { id: 'text', value: '0x01' },
    { id: 'no number', value: { ...header, number: undefined } },
    { id: 'a number beyond 32 bits', value: { ...header, number: '0x100000000' } },
    { id: 'a negative number', value: { ...header, number: '-1' } },
    { id: 'a short parent', value: { ...header, parentHash: '0x01' } },
    { id: 'no digest', value: { ...header, digest: undefined } },
    { id: 'a digest that is no hex', value: { ...header, digest: { logs: ['zz'] } } },
  ])('refuses $id', ({ value }) => {
    expect(parseHeader(value)).toBeUndefined();
  });
});

describe('storage keys', () => {
  it("are those of the chain's metadata", async () => {
    await loadHashes();
    // From @polkadot/api over the metadata of spec 424.
    expect(storageKey('SubtensorModule', 'SubnetworkN', ['identity', littleEndian(21, 2)])).toBe(
      '0x658faa385070e074c85bf6b568cf0555a1048e9d244171852dfe8db314dc68ca1500',
    );
    // Well known: System.Account of //Alice.
    const alice = bytesOfHex('0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d') as Uint8Array;
    expect(storageKey('System', 'Account', ['blake2-128-concat', alice])).toBe(
      '0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9de1e86a9a8c739864cf3cc5ec2bea59fd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d',
    );
  });
});
