/**
 * The kernel written for reading, not for speed: byte by byte over GF(2⁸), one `node:crypto` hash a leaf. Tests judge
 * the WebAssembly kernel by it, and use it where the kernel is not what is tested.
 */
import { createHash } from 'node:crypto';
import type { Kernel } from '#shared/codec/kernel.ts';
import { ROUND_CONSTANTS } from '#shared/codec/wat/sha256.ts';

const LEAF_BYTES = 1024;
const NODE_BYTES = 32;
/** x⁸ + x⁴ + x³ + x² + 1, por/v1 §3. */
const POLYNOMIAL = 0x11d;

function times(a: number, b: number): number {
  let product = 0;
  for (let left = a, right = b; right > 0; right >>= 1) {
    if (right & 1) product ^= left;
    left <<= 1;
    if (left & 0x100) left ^= POLYNOMIAL;
  }
  return product;
}

const hash = (prefix: number, bytes: Uint8Array): Uint8Array =>
  createHash('sha256').update(Uint8Array.of(prefix)).update(bytes).digest();

const rotate = (x: number, by: number): number => (x >>> by) | (x << (32 - by));

/** FIPS 180-4 §6.2.2, word by word. */
function compress(state: DataView, block: DataView): void {
  const w = Array.from({ length: 64 }, (_, t) => (t < 16 ? block.getUint32(4 * t) : 0));
  const at = (t: number): number => w[t] as number;
  for (let t = 16; t < 64; t++) {
    const small0 = rotate(at(t - 15), 7) ^ rotate(at(t - 15), 18) ^ (at(t - 15) >>> 3);
    const small1 = rotate(at(t - 2), 17) ^ rotate(at(t - 2), 19) ^ (at(t - 2) >>> 10);
    w[t] = (at(t - 16) + small0 + at(t - 7) + small1) >>> 0;
  }
  const before = Array.from({ length: 8 }, (_, i) => state.getUint32(4 * i));
  let [a, b, c, d, e, f, g, h] = before as [number, number, number, number, number, number, number, number];
  for (let t = 0; t < 64; t++) {
    const big1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + big1 + ((e & f) ^ (~e & g)) + (ROUND_CONSTANTS[t] as number) + at(t)) >>> 0;
    const big0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (big0 + ((a & b) ^ (a & c) ^ (b & c))) >>> 0;
    [a, b, c, d, e, f, g, h] = [(t1 + t2) >>> 0, a, b, c, (d + t1) >>> 0, e, f, g];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    state.setUint32(4 * i, (before[i] as number) + word);
  });
}

export const referenceKernel: Kernel = {
  multiply(matrix, inputs, outputs) {
    const k = inputs.length;
    outputs.forEach((output, r) => {
      output.fill(0);
      inputs.forEach((input, c) => {
        const table = Uint8Array.from({ length: 256 }, (_, x) => times(matrix[r * k + c] as number, x));
        for (let i = 0; i < output.length; i++) {
          output[i] = (output[i] as number) ^ (table[input[i] as number] as number);
        }
      });
    });
  },
  hashLeaves(shard) {
    const leaves = Math.max(1, Math.ceil(shard.length / LEAF_BYTES));
    const hashes = new Uint8Array(leaves * NODE_BYTES);
    for (let i = 0; i < leaves; i++) {
      hashes.set(hash(0, shard.subarray(i * LEAF_BYTES, (i + 1) * LEAF_BYTES)), i * NODE_BYTES);
    }
    return hashes;
  },
  hashNodes(nodes) {
    const count = nodes.length / NODE_BYTES;
    const parents = new Uint8Array(Math.ceil(count / 2) * NODE_BYTES);
    for (let i = 0; i < count; i += 2) {
      const pair = nodes.subarray(i * NODE_BYTES, (i + 2) * NODE_BYTES);
      parents.set(i + 1 < count ? hash(1, pair) : pair, (i / 2) * NODE_BYTES);
    }
    return parents;
  },
  hashBlocks(state, blocks) {
    const view = new DataView(state.buffer, state.byteOffset, 32);
    for (let from = 0; from < blocks.length; from += 64) {
      compress(view, new DataView(blocks.buffer, blocks.byteOffset + from, 64));
    }
  },
};
