/**
 * The kernel over its WebAssembly module: moves shards of any size through the module's small, fixed memory, strip by
 * strip. Called by `node-kernel.ts`, by the Worker's and the page's wiring with their statically imported module.
 * Everything is synchronous, so one instance serves a whole program; there is no state between calls.
 */
import { invariant } from '#shared/primitives/failure.ts';
import { gfMultiply } from './gf256.ts';
import type { Kernel } from './kernel.ts';
import { ARENA_BYTES, LAYOUT } from './wat/layout.ts';

const LEAF_BYTES = 1024;
const HASH_BYTES = 32;
const BLOCK_BYTES = 64;
const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;
/** A coding matrix has no more columns or rows than the field has elements. */
const MAX_ORDER = 256;
/**
 * Strips lie an odd number of cache lines apart. At powers of two all k of them would share a few sets of the L1 cache:
 * measured at 10 + 20, 2000 MB/s against 1350.
 */
const LINE_BYTES = 64;
/** Long enough to make the calls around it cheap, short enough that inputs and outputs of (10, 30) stay in L2. */
const MAX_STRIP_LINES = 127;
/** Bodies hashed in one call: a multiple of four leaves, and little enough to stay in the L1 cache. */
const BATCH_BYTES = 16 * LEAF_BYTES;
/** Blocks of one message hashed in one call: half of the L1 cache. */
const RUN_BYTES = 16 * 1024;
/** Behind the bodies: where a batch is no multiple of four, up to three bodies more are read, and one block. */
const HASHES_AT = LAYOUT.arena + BATCH_BYTES + 4 * LEAF_BYTES;
/** A body's first word is read from one byte before it. */
const BODIES_AT = LAYOUT.arena + 16;

const oddAtLeast = (count: number): number => count | 1;
const oddAtMost = (count: number): number => (count - 1) | 1;

interface Exports {
  readonly memory: WebAssembly.Memory;
  multiply(matrix: number, rows: number, k: number, from: number, to: number, bytes: number): void;
  hashBodies(from: number, count: number, blocks: number, prefix: number, to: number): void;
  hashMessage(from: number, blocks: number, to: number): void;
  hashRun(from: number, blocks: number): void;
}

/** Products of each coefficient with every low, then every high nibble. */
function writeProducts(memory: Uint8Array): void {
  for (let a = 0; a < MAX_ORDER; a++) {
    for (let nibble = 0; nibble < 16; nibble++) {
      memory[LAYOUT.products + 32 * a + nibble] = gfMultiply(a, nibble);
      memory[LAYOUT.products + 32 * a + 16 + nibble] = gfMultiply(a, nibble << 4);
    }
  }
}

export function instantiateKernel(module: WebAssembly.Module): Kernel {
  const wasm = new WebAssembly.Instance(module, {}).exports as unknown as Exports;
  const memory = new Uint8Array(wasm.memory.buffer);
  const words = new Uint32Array(wasm.memory.buffer, LAYOUT.state, 8);
  writeProducts(memory);

  function multiply(matrix: Uint8Array, inputs: readonly Uint8Array[], outputs: readonly Uint8Array[]): void {
    const k = inputs.length;
    const rows = outputs.length;
    const bytes = inputs[0]?.length ?? 0;
    invariant(k >= 1 && k <= MAX_ORDER && rows <= MAX_ORDER, `no matrix of ${rows} × ${k}`);
    invariant(matrix.length === rows * k, `a matrix of ${rows} × ${k} has not ${matrix.length} coefficients`);
    for (const shard of [...inputs, ...outputs]) invariant(shard.length === bytes, 'shards differ in length');
    if (rows === 0) return;
    memory.set(matrix, LAYOUT.matrix);
    const roomLines = Math.floor(ARENA_BYTES / (k + rows) / LINE_BYTES);
    const strip = LINE_BYTES * Math.min(MAX_STRIP_LINES, oddAtMost(roomLines));
    for (let at = 0; at < bytes; at += strip) {
      const length = Math.min(strip, bytes - at);
      const stride = LINE_BYTES * oddAtLeast(Math.ceil(length / LINE_BYTES));
      let place: number = LAYOUT.arena;
      for (const input of inputs) {
        memory.set(length === bytes ? input : input.subarray(at, at + length), place);
        place += stride;
      }
      wasm.multiply(LAYOUT.matrix, rows, k, LAYOUT.arena, place, stride);
      for (const output of outputs) {
        output.set(memory.subarray(place, place + length), at);
        place += stride;
      }
    }
  }

  /** The hash of one short body: padded here (FIPS 180-4 §5.1.1), hashed in all four lanes. */
  function hashShort(prefix: number, body: Uint8Array, out: Uint8Array, at: number): void {
    const blocks = Math.ceil((1 + body.length + 9) / BLOCK_BYTES);
    const message = memory.subarray(LAYOUT.arena, LAYOUT.arena + blocks * BLOCK_BYTES);
    message.fill(0);
    message[0] = prefix;
    message.set(body, 1);
    message[1 + body.length] = 0x80;
    const bits = 8 * (1 + body.length);
    message[message.length - 2] = bits >> 8;
    message[message.length - 1] = bits & 255;
    wasm.hashMessage(LAYOUT.arena, blocks, HASHES_AT);
    out.set(memory.subarray(HASHES_AT, HASHES_AT + HASH_BYTES), at);
  }

  /** Hashes as many whole bodies of `bodyBytes` as there are into `out`. */
  function hashWhole(prefix: number, bytes: Uint8Array, bodyBytes: number, out: Uint8Array): void {
    const atOnce = BATCH_BYTES / bodyBytes;
    const count = Math.floor(bytes.length / bodyBytes);
    for (let first = 0; first < count; first += atOnce) {
      const some = Math.min(atOnce, count - first);
      memory.set(bytes.subarray(first * bodyBytes, (first + some) * bodyBytes), BODIES_AT);
      wasm.hashBodies(BODIES_AT, some, bodyBytes / BLOCK_BYTES, prefix, HASHES_AT);
      out.set(memory.subarray(HASHES_AT, HASHES_AT + some * HASH_BYTES), first * HASH_BYTES);
    }
  }

  function hashLeaves(shard: Uint8Array): Uint8Array {
    const leaves = Math.max(1, Math.ceil(shard.length / LEAF_BYTES));
    const out = new Uint8Array(leaves * HASH_BYTES);
    hashWhole(LEAF_PREFIX, shard, LEAF_BYTES, out);
    const whole = Math.floor(shard.length / LEAF_BYTES);
    if (whole < leaves) hashShort(LEAF_PREFIX, shard.subarray(whole * LEAF_BYTES), out, whole * HASH_BYTES);
    return out;
  }

  function hashNodes(nodes: Uint8Array): Uint8Array {
    invariant(nodes.length % HASH_BYTES === 0, `${nodes.length} bytes are no row of nodes`);
    const pairs = Math.floor(nodes.length / (2 * HASH_BYTES));
    const out = new Uint8Array(Math.ceil(nodes.length / (2 * HASH_BYTES)) * HASH_BYTES);
    hashWhole(NODE_PREFIX, nodes, 2 * HASH_BYTES, out);
    if (pairs * HASH_BYTES < out.length) out.set(nodes.subarray(-HASH_BYTES), pairs * HASH_BYTES);
    return out;
  }

  function hashBlocks(state: Uint8Array, blocks: Uint8Array): void {
    invariant(state.length === HASH_BYTES, `a state has ${HASH_BYTES} bytes`);
    invariant(blocks.length % BLOCK_BYTES === 0, `${blocks.length} bytes are no blocks`);
    const view = new DataView(state.buffer, state.byteOffset, HASH_BYTES);
    for (let i = 0; i < 8; i++) words[i] = view.getUint32(4 * i);
    for (let at = 0; at < blocks.length; at += RUN_BYTES) {
      const run = blocks.subarray(at, at + RUN_BYTES);
      memory.set(run, LAYOUT.arena);
      wasm.hashRun(LAYOUT.arena, run.length / BLOCK_BYTES);
    }
    for (let i = 0; i < 8; i++) view.setUint32(4 * i, words[i] ?? 0);
  }

  return { multiply, hashLeaves, hashNodes, hashBlocks };
}
