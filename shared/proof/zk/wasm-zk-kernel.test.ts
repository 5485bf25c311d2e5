import { readFileSync } from 'node:fs';
import { ristretto255 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, toHex } from '#shared/primitives/bytes.ts';
import { buildZkKernel } from './build-zk-kernel.ts';
import { zkGenerators } from './generators.ts';
import { leafRows } from './leaf-rows.ts';
import { createNobleZkKernel } from './noble-zk-kernel.ts';
import { loadNodeZkKernel } from './node-zk-kernel.ts';
import { ORDER, readScalar } from './scalar.ts';
import { rowOf, unitRow, withScalar } from './testing/zk-forger.ts';
import { seededRandom } from './testing/zk-world.ts';
import { instantiateZkKernel } from './wasm-zk-kernel.ts';
import { GENERATORS, ROW_BYTES } from './zk-kernel.ts';

const wasm = loadNodeZkKernel();
const noble = createNobleZkKernel(zkGenerators());
const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && toHex(bytes);

/** Scalars that carries, signs and empty windows are made of. */
const edges = [
  0n,
  1n,
  2n,
  ORDER - 1n,
  ORDER - 2n,
  2n ** 248n - 1n,
  2n ** 252n,
  ...[127n, 128n, 129n, 255n].map((byte) =>
    BigInt(`0x${'00'.repeat(1)}${byte.toString(16).padStart(2, '0').repeat(31)}`),
  ),
  ...[7n, 8n, 15n].map((nibble) => BigInt(`0x0${nibble.toString(16).repeat(62)}`)),
];
const scalar = fc.oneof(fc.bigInt({ min: 0n, max: ORDER - 1n }), fc.constantFrom(...edges));
const row = fc.array(scalar, { minLength: GENERATORS, maxLength: GENERATORS }).map(rowOf);

it('zk-kernel.wasm is what its source builds', async () => {
  const committed = readFileSync(new URL('./zk-kernel.wasm', import.meta.url));
  expect(toHex(await buildZkKernel())).toBe(toHex(committed));
});

describe('commit in WebAssembly equals @noble/curves', () => {
  it('for every generator alone, at every edge scalar', () => {
    const rows = Array.from({ length: GENERATORS }, (_, j) => unitRow(j));
    expect(toHex(wasm.commit(concatBytes(...rows)))).toBe(toHex(zkGenerators()));
    const each = edges.map((edge, i) => withScalar(new Uint8Array(ROW_BYTES), (5 * i) % GENERATORS, () => edge));
    expect(toHex(wasm.commit(concatBytes(...each)))).toBe(toHex(noble.commit(concatBytes(...each))));
    for (const one of each) expect(toHex(wasm.commit(one))).toBe(toHex(noble.commit(one)));
  });

  it('for rows of one edge scalar throughout', () => {
    const rows = concatBytes(...edges.map((edge) => rowOf(Array(GENERATORS).fill(edge))));
    expect(toHex(wasm.commit(rows))).toBe(toHex(noble.commit(rows)));
  });

  it('for any rows, one or several', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 3 }), (rows) => {
        expect(toHex(wasm.commit(concatBytes(...rows)))).toBe(toHex(noble.commit(concatBytes(...rows))));
      }),
      { numRuns: 25 },
    );
  });

  it.each([
    ['zeros', 0],
    ['ones', 255],
    ['0x80', 128],
    ['0x7f', 127],
  ])('for leaves of %s, whole and short', (_, fill) => {
    const rows = leafRows(new Uint8Array(2 * 1024 + 700).fill(fill), new Uint8Array(32).fill(fill), 0);
    expect(toHex(wasm.commit(rows))).toBe(toHex(noble.commit(rows)));
  });

  it('for no rows, and for many: around the batch, each row is what it is alone', () => {
    expect(wasm.commit(new Uint8Array(0))).toHaveLength(0);
    const random = seededRandom(1);
    const rows = leafRows(random(258 * 1024), random(32), 0);
    const all = wasm.commit(rows);
    for (const count of [255, 256, 257]) {
      expect(toHex(wasm.commit(rows.subarray(0, count * ROW_BYTES)))).toBe(toHex(all.subarray(0, count * 32)));
    }
    for (const i of [0, 1, 127, 254, 255, 256, 257]) {
      const alone = wasm.commit(rows.subarray(i * ROW_BYTES, (i + 1) * ROW_BYTES));
      expect(toHex(alone)).toBe(toHex(all.subarray(32 * i, 32 * (i + 1))));
    }
    expect(toHex(noble.commit(rows.subarray(256 * ROW_BYTES, 257 * ROW_BYTES)))).toBe(
      toHex(all.subarray(32 * 256, 32 * 257)),
    );
  });
});

describe('combine in WebAssembly equals @noble/curves', () => {
  const someRows = fc.array(row, { maxLength: 5 });
  it('for any row, points and scalars', () => {
    fc.assert(
      fc.property(row, someRows, fc.array(scalar, { minLength: 5, maxLength: 5 }), (own, rows, scalars) => {
        const points = wasm.commit(concatBytes(...rows));
        const some = rowOf(scalars.slice(0, rows.length));
        expect(hex(wasm.combine(own, points, some))).toBe(hex(noble.combine(own, points, some)));
      }),
      { numRuns: 25 },
    );
  });

  it('for the identity, a point and its negative, and one point often', () => {
    const [identity, zero] = [new Uint8Array(32), new Uint8Array(ROW_BYTES)];
    const point = wasm.commit(unitRow(3));
    const cases: readonly (readonly [Uint8Array, readonly bigint[]])[] = [
      [identity, [5n]],
      [concatBytes(point, point), [1n, ORDER - 1n]],
      [concatBytes(point, identity, point), [1n, 7n, 1n]],
      [concatBytes(...Array(9).fill(point)), Array(9).fill(ORDER - 1n)],
    ];
    for (const [points, scalars] of cases) {
      expect(hex(wasm.combine(zero, points, rowOf(scalars)))).toBe(hex(noble.combine(zero, points, rowOf(scalars))));
    }
    expect(hex(wasm.combine(unitRow(3), point, rowOf([ORDER - 1n])))).toBe('00'.repeat(32));
    expect(hex(wasm.combine(zero, new Uint8Array(0), new Uint8Array(0)))).toBe('00'.repeat(32));
  });

  it('for more points than are kept at once', () => {
    const random = seededRandom(2);
    for (const count of [127, 128, 129, 300]) {
      const points = wasm.commit(leafRows(random(count * 1024), random(32), 0));
      // Σ s·P over the same points in two orders, of which noble sums one.
      const scalars = Array.from({ length: count }, (_, i) => BigInt(i + 1) * 977n);
      const backwards = concatBytes(
        ...Array.from({ length: count }, (_, i) => points.slice(32 * (count - 1 - i), 32 * (count - i))),
      );
      const sum = hex(wasm.combine(unitRow(0), points, rowOf(scalars)));
      expect(hex(wasm.combine(unitRow(0), backwards, rowOf([...scalars].reverse())))).toBe(sum);
      if (count === 129) expect(hex(noble.combine(unitRow(0), points, rowOf(scalars)))).toBe(sum);
    }
  });
});

/** RFC 9496 appendix A.2: encodings that no decoder may take. */
const BAD_ENCODINGS = [
  '00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20',
  'c34c4e1826e5d403b78e246e88aa051c36ccf0aafebffe137d148a2bf9104562',
  'c940e5a4404157cfb1628b108db051a8d439e1a421394ec4ebccb9ec92a8ac78',
  '47cfc5497c53dc8e61c91d17fd626ffb1c49e2bca94eed052281b510b1117a24',
  'f1c6165d33367351b0da8f6e4511010c68174a03b6581212c71c0e1d026c3c72',
  '87260f7a2f12495118360f02c26a470f450dadf34a413d21042b43b9d93e1309',
  '26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371',
  '4eac077a713c57b4f4397629a4145982c661f48044dd3f96427d40b147d9742f',
  'de6a7b00deadc788eb6b6c8d20c0ae96c2f2019078fa604fee5b87d6e989ad7b',
  'bcab477be20861e01e4a0e295284146a510150d9817763caf1a6f4b422d67042',
  '2a292df7e32cababbd9de088d1d1abec9fc0440f637ed2fba145094dc14bea08',
  'f4a9e534fc0d216c44b218fa0c42d99635a0127ee2e53c712f70609649fdff22',
  '8268436f8c4126196cf64b3c7ddbda90746a378625f9813dd9b8457077256731',
  '2810e5cbc2cc4d4eece54f61c6f69758e289aa7ab440b3cbeaa21995c2f4232b',
  '3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e',
  'a45fdc55c76448c049a1ab33f17023edfb2be3581e9c7aade8a6125215e04220',
  'd483fe813c6ba647ebbfd3ec41adca1c6130c2beeee9d9bf065c8d151c5f396e',
  '8a2e1d30050198c65a54483123960ccc38aef6848e1ec8f5f780e8523769ba32',
  '32888462f8b486c68ad7dd9610be5192bbeaf3b443951ac1a8118419d9fa097b',
  '227142501b9d4355ccba290404bde41575b037693cef1f438c47f8fbf35d1165',
  '5c37cc491da847cfeb9281d407efc41e15144c876e0170b499a96a22ed31e01e',
  '445425117cb8c90edcbc7c1cc0e74f747f2c1efa5630a967c64f287792a48a4b',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

describe('a point', () => {
  const good = wasm.commit(unitRow(0));
  it.each(BAD_ENCODINGS)('%s is refused, in either lane, by both kernels', (text) => {
    const bad = fromHex(text) as Uint8Array;
    for (const points of [bad, concatBytes(bad, good), concatBytes(good, bad), concatBytes(good, good, bad)]) {
      const scalars = rowOf(Array(points.length / 32).fill(1n));
      expect(wasm.combine(unitRow(1), points, scalars)).toBeUndefined();
      expect(noble.combine(unitRow(1), points, scalars)).toBeUndefined();
    }
  });

  it('is one for both kernels or for neither, whatever its bytes', () => {
    const zero = new Uint8Array(ROW_BYTES);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        bytes[31] = (bytes[31] as number) & 127;
        bytes[0] = (bytes[0] as number) & 254;
        expect(hex(wasm.combine(zero, bytes, rowOf([3n])))).toBe(hex(noble.combine(zero, bytes, rowOf([3n]))));
      }),
      { numRuns: 200 },
    );
  });

  it('of a small multiple of the base is encoded as RFC 9496 has it', () => {
    const base = ristretto255.Point.BASE.toBytes();
    const zero = new Uint8Array(ROW_BYTES);
    for (let k = 0n; k < 16n; k++) {
      expect(hex(wasm.combine(zero, base, rowOf([k])))).toBe(ristretto255.Point.BASE.multiplyUnsafe(k).toHex());
    }
  });
});

describe('scalars', () => {
  it.each([ORDER, ORDER + 1n, 2n ** 256n - 1n])('of %s are none', (value) => {
    const bytes = Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
    expect(readScalar(bytes)).toBeUndefined();
  });
  it.each([0, 31, 33])('of %i bytes are none', (length) => {
    expect(readScalar(new Uint8Array(length))).toBeUndefined();
  });
});

it('a kernel over bytes that are no generators is not made', () => {
  const module = new WebAssembly.Module(readFileSync(new URL('./zk-kernel.wasm', import.meta.url)));
  expect(() => instantiateZkKernel(module, new Uint8Array(GENERATORS * 32).fill(255))).toThrow('invariant');
});
