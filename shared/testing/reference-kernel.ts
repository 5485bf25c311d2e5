/**
 * The kernel written for reading, not for speed: byte by byte over GF(2⁸), one `node:crypto` hash a leaf. Tests judge
 * the WebAssembly kernel by it, and use it where the kernel is not what is tested.
 */
import { createHash } from 'node:crypto';
import type { Kernel } from '#shared/codec/kernel.ts';

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
};
