import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, toHex } from '#shared/primitives/bytes.ts';
import { buildKernel } from './build-kernel.ts';
import { gfMultiply } from './gf256.ts';
import { loadNodeKernel } from './node-kernel.ts';

const kernel = loadNodeKernel();

/** Bytes that no simple pattern in a lane or a nibble could pass for. */
function noise(bytes: number, seed: number): Uint8Array {
  const out = new Uint8Array(bytes);
  let x = (seed + 1) * 2_654_435_761;
  for (let i = 0; i < bytes; i++) {
    x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d) + i;
    out[i] = x >>> 11;
  }
  return out;
}

function plainMultiply(matrix: Uint8Array, inputs: readonly Uint8Array[], rows: number): Uint8Array[] {
  return Array.from({ length: rows }, (_, r) =>
    Uint8Array.from(inputs[0] ?? [], (_, i) =>
      inputs.reduce((sum, input, c) => sum ^ gfMultiply(matrix[r * inputs.length + c] ?? 0, input[i] ?? 0), 0),
    ),
  );
}

const sha256 = (...parts: Uint8Array[]): Uint8Array =>
  createHash('sha256')
    .update(concatBytes(...parts))
    .digest();

function plainLeaves(shard: Uint8Array): string[] {
  const leaves = Math.max(1, Math.ceil(shard.length / 1024));
  return Array.from({ length: leaves }, (_, i) =>
    toHex(sha256(Uint8Array.of(0), shard.subarray(1024 * i, 1024 * (i + 1)))),
  );
}

function plainNodes(nodes: readonly Uint8Array[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < nodes.length; i += 2) {
    const [left, right] = [nodes[i] ?? new Uint8Array(0), nodes[i + 1]];
    out.push(toHex(right ? sha256(Uint8Array.of(1), left, right) : left));
  }
  return out;
}

const inHashes = (bytes: Uint8Array): string[] =>
  Array.from({ length: bytes.length / 32 }, (_, i) => toHex(bytes.subarray(32 * i, 32 * (i + 1))));

it('kernel.wasm is what its source builds', async () => {
  const committed = readFileSync(new URL('./kernel.wasm', import.meta.url));
  expect(toHex(await buildKernel())).toBe(toHex(committed));
});

describe('multiply', () => {
  it('multiplies every two elements of the field', () => {
    const column = Uint8Array.from({ length: 256 }, (_, i) => i);
    const outputs = Array.from(column, () => new Uint8Array(256));
    kernel.multiply(column, [column], outputs);
    expect(outputs).toEqual(plainMultiply(column, [column], 256));
  });

  it.each([1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1000, 8127, 8128, 8129, 16_257, 8064, 8127, 8128, 8129, 16_257])(
    'equals the plain sum of products at %i bytes',
    (bytes) => {
      for (const [k, rows] of [
        [1, 1],
        [2, 3],
        [3, 5],
        [5, 2],
      ] as const) {
        const matrix = noise(k * rows, bytes);
        const inputs = Array.from({ length: k }, (_, c) => noise(bytes, c));
        const outputs = Array.from({ length: rows }, () => noise(bytes, 99));
        kernel.multiply(matrix, inputs, outputs);
        expect(outputs).toEqual(plainMultiply(matrix, inputs, rows));
      }
    },
  );

  it('equals the plain sum of products for any matrix', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(40), fc.nat(200), fc.nat(), (k, rows, bytes, seed) => {
        const matrix = noise(k * rows, seed);
        const inputs = Array.from({ length: k }, (_, c) => noise(bytes, seed + c));
        const outputs = Array.from({ length: rows }, () => new Uint8Array(bytes));
        kernel.multiply(matrix, inputs, outputs);
        expect(outputs).toEqual(plainMultiply(matrix, inputs, rows));
      }),
      { numRuns: 60 },
    );
  });

  it('takes the largest matrix of the field, in strips short enough for its memory', () => {
    const matrix = noise(256 * 256, 5);
    const inputs = Array.from({ length: 256 }, (_, c) => noise(1100, c));
    const outputs = Array.from({ length: 256 }, () => new Uint8Array(1100));
    kernel.multiply(matrix, inputs, outputs);
    for (const r of [0, 1, 127, 255]) {
      const row = matrix.subarray(256 * r, 256 * (r + 1));
      expect(outputs[r]).toEqual(plainMultiply(row, inputs, 1)[0]);
    }
  });

  it('leaves its inputs alone, and takes views at odd offsets', () => {
    const whole = noise(301, 7);
    const before = whole.slice();
    const inputs = [whole.subarray(1, 101), whole.subarray(101, 201)];
    const out = new Uint8Array(103);
    kernel.multiply(Uint8Array.of(3, 7), inputs, [out.subarray(3)]);
    expect(whole).toEqual(before);
    expect(out.subarray(3)).toEqual(plainMultiply(Uint8Array.of(3, 7), inputs, 1)[0]);
  });

  it.each([
    ['no input', () => kernel.multiply(new Uint8Array(0), [], [new Uint8Array(4)])],
    ['257 inputs', () => kernel.multiply(new Uint8Array(257), Array(257).fill(new Uint8Array(1)), [new Uint8Array(1)])],
    [
      'a matrix too small',
      () => kernel.multiply(new Uint8Array(1), [new Uint8Array(4), new Uint8Array(4)], [new Uint8Array(4)]),
    ],
    ['a matrix too large', () => kernel.multiply(new Uint8Array(2), [new Uint8Array(4)], [new Uint8Array(4)])],
    [
      'a short input',
      () => kernel.multiply(new Uint8Array(2), [new Uint8Array(4), new Uint8Array(3)], [new Uint8Array(4)]),
    ],
    ['a short output', () => kernel.multiply(new Uint8Array(1), [new Uint8Array(4)], [new Uint8Array(3)])],
  ])('throws for %s', (_, call) => {
    expect(call).toThrow('invariant broken');
  });
});

describe('hashLeaves', () => {
  it('equals SHA-256 leaf by leaf around every boundary of blocks, leaves, lanes and batches', () => {
    const shard = noise(40 * 1024, 3);
    const around = [
      0,
      55,
      64,
      119,
      128,
      960,
      1015,
      1024,
      2048,
      3072,
      4096,
      5120,
      8192,
      16 * 1024,
      20 * 1024,
      32 * 1024,
      36 * 1024,
    ];
    for (const middle of around) {
      for (const bytes of [-2, -1, 0, 1, 2].map((d) => middle + d).filter((b) => b >= 0)) {
        expect(inHashes(kernel.hashLeaves(shard.subarray(0, bytes))), `${bytes} bytes`).toEqual(
          plainLeaves(shard.subarray(0, bytes)),
        );
      }
    }
  });

  it('equals SHA-256 for every length of a short leaf', () => {
    const shard = noise(1024, 4);
    for (let bytes = 0; bytes < 1024; bytes++) {
      expect(inHashes(kernel.hashLeaves(shard.subarray(0, bytes)))).toEqual(plainLeaves(shard.subarray(0, bytes)));
    }
  });

  it('gives an empty shard its one empty leaf', () => {
    expect(inHashes(kernel.hashLeaves(new Uint8Array(0)))).toEqual([toHex(sha256(Uint8Array.of(0)))]);
  });

  it('is no other for what was hashed before', () => {
    const first = toHex(kernel.hashLeaves(new Uint8Array(3000)));
    kernel.hashLeaves(noise(70_000, 9));
    expect(toHex(kernel.hashLeaves(new Uint8Array(3000)))).toBe(first);
  });
});

describe('hashNodes', () => {
  it.each([0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 100, 511, 512, 513, 519, 2047, 2048, 2049, 2057])(
    'equals SHA-256 pair by pair of %i nodes',
    (count) => {
      const nodes = Array.from({ length: count }, (_, i) => noise(32, i));
      expect(inHashes(kernel.hashNodes(concatBytes(...nodes)))).toEqual(plainNodes(nodes));
    },
  );

  it('throws for a piece of a node', () => {
    expect(() => kernel.hashNodes(new Uint8Array(33))).toThrow('invariant broken');
  });
});
