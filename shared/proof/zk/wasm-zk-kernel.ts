/**
 * The zk kernel over its WebAssembly module: decides which table entries are added up, the module adds. Two points at a
 * time, one per lane; leaves are summed window by window, 256 at once, so that one window's table stays in the cache.
 * Called by `node-zk-kernel.ts`, by the Worker's and the page's wiring with their statically imported module. Not
 * constant in time: look-ups follow the data.
 */
import { invariant } from '#shared/primitives/failure.ts';
import { carryOf, windowOf } from './digits.ts';
import { zkGenerators } from './generators.ts';
import { SCALAR_BYTES } from './scalar.ts';
import {
  BATCH_POINTS,
  BATCH_ROWS,
  ENTRY_BYTES,
  LAYOUT,
  PAIR_BYTES,
  POINT_MULTIPLES,
  POINT_PAIR_BYTES,
  POINT_WINDOW_BITS,
  TABLES,
  WINDOW_BITS,
  WINDOW_BYTES,
  WINDOW_MULTIPLES,
  WINDOWS,
} from './wat/layout.ts';
import { GENERATORS, POINT_BYTES, ROW_BYTES, type ZkKernel } from './zk-kernel.ts';

interface Exports {
  readonly memory: WebAssembly.Memory;
  decode(point: number, bytes: number): number;
  encode(point: number, bytes: number): void;
  double(point: number, times: number): void;
  addPair(point: number, other: number): void;
  cache(to: number, point: number): void;
  multiples(point: number, count: number, to: number): void;
  normalize(from: number, count: number, prefixes: number, to0: number, to1: number): void;
  sumEntries(point: number, stride: number, codes: number, pairs: number): void;
  sumMultiples(point: number, stride: number, codes: number, pairs: number): void;
}

const BOTH_LANES = 3;
const POINT_WINDOWS = 256 / POINT_WINDOW_BITS;
/** The cached multiples of one pair of points: 0 … 8. */
const MULTIPLES_BYTES = (POINT_MULTIPLES + 1) * POINT_PAIR_BYTES;
const windowAt = (generator: number, window: number): number =>
  LAYOUT.tables + (generator * WINDOWS + window) * WINDOW_BYTES;
/** An entry's address, with the digit's sign in bit 0. */
const codeOf = (table: number, digit: number, entryBytes: number): number =>
  digit < 0 ? table - digit * entryBytes + 1 : table + digit * entryBytes;

/** The kernel of a program whose first proof may never come: its tables, 18 MiB in 0.1 s, are built for the first. */
export function lazyZkKernel(module: WebAssembly.Module): () => ZkKernel {
  let kernel: ZkKernel | undefined;
  return () => {
    kernel ??= instantiateZkKernel(module, zkGenerators());
    return kernel;
  };
}

export function instantiateZkKernel(module: WebAssembly.Module, generators: Uint8Array): ZkKernel {
  const wasm = new WebAssembly.Instance(module, {}).exports as unknown as Exports;
  const memory = new Uint8Array(wasm.memory.buffer);
  const words = new Int32Array(wasm.memory.buffer);
  const codes = words.subarray(LAYOUT.codes / 4, LAYOUT.bytes / 4);
  /** One accumulator, and two places beside it. */
  const [first, second, third] = [0, 1, 2].map((i) => LAYOUT.sums + i * POINT_PAIR_BYTES) as [number, number, number];

  /** (0 : 1 : 1 : 0) in both lanes. */
  function writeIdentity(point: number): void {
    memory.fill(0, point, point + POINT_PAIR_BYTES);
    for (const coordinate of [1, 2]) {
      for (const lane of [0, 1]) words[(point + coordinate * PAIR_BYTES) / 4 + lane] = 1;
    }
  }

  function buildTables(): void {
    const bytes = memory.subarray(LAYOUT.bytes, LAYOUT.bytes + 2 * POINT_BYTES);
    const prefixes = LAYOUT.work + WINDOW_MULTIPLES * POINT_PAIR_BYTES;
    for (let j = 0; j < TABLES; j += 2) {
      for (const lane of [0, 1]) {
        const at = Math.min(j + lane, GENERATORS - 1) * POINT_BYTES;
        bytes.set(generators.subarray(at, at + POINT_BYTES), lane * POINT_BYTES);
      }
      invariant(wasm.decode(first, LAYOUT.bytes) === BOTH_LANES, 'generators are points');
      for (let window = 0; window < WINDOWS; window++) {
        const tables = [windowAt(j, window), windowAt(j + 1, window)] as const;
        for (const table of tables) words[table / 4] = words[table / 4 + 10] = 1;
        wasm.multiples(first, WINDOW_MULTIPLES, LAYOUT.work);
        wasm.normalize(LAYOUT.work, WINDOW_MULTIPLES, prefixes, tables[0] + ENTRY_BYTES, tables[1] + ENTRY_BYTES);
        memory.copyWithin(first, prefixes - POINT_PAIR_BYTES, prefixes);
        wasm.double(first, 1);
      }
    }
  }

  /** Adds the second lane to the first: (P, Q) becomes (P + Q, Q + P). */
  function addLanes(point: number, spare: number): void {
    for (let at = 0; at < POINT_PAIR_BYTES / 4; at += 2) {
      words[spare / 4 + at] = words[point / 4 + at + 1] as number;
      words[spare / 4 + at + 1] = words[point / 4 + at] as number;
    }
    wasm.addPair(point, spare);
  }

  /** One row alone: its windows by turns in both lanes. Leaves the sum's halves in the lanes of `first`. */
  function sumRow(row: Uint8Array): void {
    writeIdentity(first);
    let count = 0;
    for (let j = 0; j < GENERATORS; j++) {
      for (let window = 0, carry = 0; window < WINDOWS; window++) {
        const u = windowOf(row, j * SCALAR_BYTES, window, WINDOW_BITS, carry);
        carry = carryOf(u, WINDOW_BITS);
        const digit = u - (carry << WINDOW_BITS);
        if (digit !== 0) codes[count++] = codeOf(windowAt(j, window), digit, ENTRY_BYTES);
      }
    }
    if (count % 2 === 1) codes[count++] = windowAt(0, 0);
    if (count > 0) wasm.sumEntries(first, 0, LAYOUT.codes, count / 2);
  }

  function encodeFirst(): Uint8Array {
    addLanes(first, second);
    wasm.encode(first, LAYOUT.bytes);
    return memory.slice(LAYOUT.bytes, LAYOUT.bytes + POINT_BYTES);
  }

  const carries = new Uint8Array(BATCH_ROWS);

  function commitBatch(rows: Uint8Array, count: number): Uint8Array {
    const pairs = Math.ceil(count / 2);
    for (let i = 0; i < pairs; i++) writeIdentity(LAYOUT.sums + i * POINT_PAIR_BYTES);
    for (let j = 0; j < GENERATORS; j++) {
      carries.fill(0);
      for (let window = 0; window < WINDOWS; window++) {
        const table = windowAt(j, window);
        codes[count] = table;
        let some = false;
        for (let i = 0; i < count; i++) {
          const from = i * ROW_BYTES + j * SCALAR_BYTES;
          const u = windowOf(rows, from, window, WINDOW_BITS, carries[i] as number);
          const carry = carryOf(u, WINDOW_BITS);
          const digit = u - (carry << WINDOW_BITS);
          carries[i] = carry;
          codes[i] = codeOf(table, digit, ENTRY_BYTES);
          some ||= digit !== 0;
        }
        if (some) wasm.sumEntries(LAYOUT.sums, POINT_PAIR_BYTES, LAYOUT.codes, pairs);
      }
    }
    for (let i = 0; i < pairs; i++) {
      wasm.encode(LAYOUT.sums + i * POINT_PAIR_BYTES, LAYOUT.bytes + i * 2 * POINT_BYTES);
    }
    return memory.slice(LAYOUT.bytes, LAYOUT.bytes + count * POINT_BYTES);
  }

  /** Decodes up to 128 points and keeps the multiples 0 … 8 of each; false when one is no canonical point. */
  function loadPoints(points: Uint8Array, count: number): boolean {
    for (let i = 0; i < count; i += 2) {
      const bytes = memory.subarray(LAYOUT.bytes, LAYOUT.bytes + 2 * POINT_BYTES);
      // Zeros encode the identity, for a lane that is left over.
      bytes.fill(0);
      bytes.set(points.subarray(i * POINT_BYTES, (i + 2) * POINT_BYTES));
      if (wasm.decode(second, LAYOUT.bytes) !== BOTH_LANES) return false;
      const table = LAYOUT.work + (i / 2) * MULTIPLES_BYTES;
      wasm.multiples(second, POINT_MULTIPLES, third);
      writeIdentity(second);
      wasm.cache(table, second);
      for (let m = 1; m <= POINT_MULTIPLES; m++) {
        wasm.cache(table + m * POINT_PAIR_BYTES, third + (m - 1) * POINT_PAIR_BYTES);
      }
    }
    return true;
  }

  /** Adds Σ scalars_i·points_i to the lanes of `first` (Straus: one row of doublings for all points). */
  function addProducts(scalars: Uint8Array, count: number): void {
    const pairs = Math.ceil(count / 2);
    const digits = new Int8Array(2 * pairs * POINT_WINDOWS);
    for (let i = 0; i < count; i++) {
      for (let window = 0, carry = 0; window < POINT_WINDOWS; window++) {
        const u = windowOf(scalars, i * SCALAR_BYTES, window, POINT_WINDOW_BITS, carry);
        carry = carryOf(u, POINT_WINDOW_BITS);
        digits[window * 2 * pairs + i] = u - (carry << POINT_WINDOW_BITS);
      }
    }
    writeIdentity(second);
    for (let window = POINT_WINDOWS - 1; window >= 0; window--) {
      wasm.double(second, POINT_WINDOW_BITS);
      for (let i = 0; i < 2 * pairs; i++) {
        const table = LAYOUT.work + (i >> 1) * MULTIPLES_BYTES;
        codes[i] = codeOf(table, digits[window * 2 * pairs + i] as number, POINT_PAIR_BYTES);
      }
      wasm.sumMultiples(second, 0, LAYOUT.codes, pairs);
    }
    wasm.addPair(first, second);
  }

  buildTables();
  return {
    commit(rows) {
      invariant(rows.length % ROW_BYTES === 0, 'whole rows');
      const count = rows.length / ROW_BYTES;
      const out = new Uint8Array(count * POINT_BYTES);
      if (count === 1) {
        sumRow(rows);
        return encodeFirst();
      }
      for (let i = 0; i < count; i += BATCH_ROWS) {
        const some = Math.min(BATCH_ROWS, count - i);
        out.set(commitBatch(rows.subarray(i * ROW_BYTES, (i + some) * ROW_BYTES), some), i * POINT_BYTES);
      }
      return out;
    },
    combine(row, points, scalars) {
      invariant(row.length === ROW_BYTES && points.length === scalars.length, 'one row, and a scalar for each point');
      if (points.length % POINT_BYTES !== 0) return undefined;
      sumRow(row);
      for (let at = 0; at < points.length; at += BATCH_POINTS * POINT_BYTES) {
        const some = points.subarray(at, at + BATCH_POINTS * POINT_BYTES);
        const count = some.length / POINT_BYTES;
        if (!loadPoints(some, count)) return undefined;
        addProducts(scalars.subarray(at), count);
      }
      return encodeFirst();
    },
  };
}
