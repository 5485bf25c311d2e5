/**
 * WebAssembly text of the matrix product over GF(2⁸). A byte b = 16·h + l times a coefficient a is a·16h ⊕ a·l, two
 * look-ups in tables of 16 bytes, which one swizzle does for 16 bytes at once (Plank, Greenan, Miller: "Screaming fast
 * Galois field arithmetic using Intel SIMD instructions", FAST 2013). Several rows are made at once from two vectors
 * of each input, accumulators in registers. Indices are nibbles, always below 16, so `relaxed_swizzle` is exact.
 */
import type { Layout } from './layout.ts';

/** Rows made at once, the most that keeps accumulators, tables and nibbles in the 15 registers that V8 gives out. */
const ROWS_AT_ONCE = 4;
/** Vectors of 16 bytes per step; a strip is a multiple of 16 times this. */
const VECTORS_AT_ONCE = 2;

const range = (count: number): number[] => [...Array(count).keys()];
const lines = (parts: readonly string[]): string => parts.join('\n');

/** A function that makes `rows` rows of one strip: tables lie in order of use, column by column, low before high. */
function stripFunction(rows: number): string {
  const vectors = range(VECTORS_AT_ONCE);
  const acc = (r: number, v: number) => `$acc${r}_${v}`;
  const add = (r: number, v: number, nibble: string) =>
    `(local.set ${acc(r, v)} (v128.xor (local.get ${acc(r, v)})
       (i8x16.relaxed_swizzle (local.get $table) (local.get ${nibble}${v}))))`;
  const half = (nibble: string, offset: number) =>
    range(rows).map(
      (r) => `(local.set $table (v128.load offset=${32 * r + offset} (local.get $tables)))
       ${lines(vectors.map((v) => add(r, v, nibble)))}`,
    );
  return `(func $strip${rows}
    (param $in i32) (param $out i32) (param $bytes i32) (param $tablesStart i32) (param $tablesEnd i32)
    (local $at i32) (local $p i32) (local $tables i32) (local $mask v128) (local $table v128)
    ${lines(vectors.map((v) => `(local $lo${v} v128) (local $hi${v} v128)`))}
    ${lines(range(rows).flatMap((r) => vectors.map((v) => `(local ${acc(r, v)} v128)`)))}
    (local.set $mask (i8x16.splat (i32.const 15)))
    (loop $positions
      ${lines(range(rows).flatMap((r) => vectors.map((v) => `(local.set ${acc(r, v)} (v128.const i64x2 0 0))`)))}
      (local.set $p (i32.add (local.get $in) (local.get $at)))
      (local.set $tables (local.get $tablesStart))
      (loop $columns
        ${lines(
          vectors.map(
            (v) => `(local.set $hi${v} (v128.load offset=${16 * v} (local.get $p)))
            (local.set $lo${v} (v128.and (local.get $hi${v}) (local.get $mask)))`,
          ),
        )}
        ${lines(half('$lo', 0))}
        ${lines(
          vectors.map(
            (v) => `(local.set $hi${v}
            (v128.and (i16x8.shr_u (local.get $hi${v}) (i32.const 4)) (local.get $mask)))`,
          ),
        )}
        ${lines(half('$hi', 16))}
        (local.set $p (i32.add (local.get $p) (local.get $bytes)))
        (local.set $tables (i32.add (local.get $tables) (i32.const ${32 * rows})))
        (br_if $columns (i32.lt_u (local.get $tables) (local.get $tablesEnd))))
      (local.set $p (i32.add (local.get $out) (local.get $at)))
      ${lines(
        range(rows).map(
          (r) => `${lines(vectors.map((v) => `(v128.store offset=${16 * v} (local.get $p) (local.get ${acc(r, v)}))`))}
          (local.set $p (i32.add (local.get $p) (local.get $bytes)))`,
        ),
      )}
      (local.set $at (i32.add (local.get $at) (i32.const ${16 * VECTORS_AT_ONCE})))
      (br_if $positions (i32.lt_u (local.get $at) (local.get $bytes)))))`;
}

/** Lays the tables of `rows` rows from `$matrix` on (row by row, k wide) out in order of use, and returns their end. */
function arrangeFunction(layout: Layout): string {
  const copy = (offset: number) =>
    `(v128.store offset=${offset} (local.get $to) (v128.load offset=${layout.products + offset} (local.get $from)))`;
  return `(func $arrange (param $matrix i32) (param $rows i32) (param $k i32) (result i32)
    (local $c i32) (local $r i32) (local $to i32) (local $from i32) (local $at i32)
    (local.set $to (i32.const ${layout.tables}))
    (loop $columns
      (local.set $at (i32.add (local.get $matrix) (local.get $c)))
      (local.set $r (i32.const 0))
      (loop $rowsLoop
        (local.set $from (i32.shl (i32.load8_u (local.get $at)) (i32.const 5)))
        ${copy(0)} ${copy(16)}
        (local.set $to (i32.add (local.get $to) (i32.const 32)))
        (local.set $at (i32.add (local.get $at) (local.get $k)))
        (local.set $r (i32.add (local.get $r) (i32.const 1)))
        (br_if $rowsLoop (i32.lt_u (local.get $r) (local.get $rows))))
      (local.set $c (i32.add (local.get $c) (i32.const 1)))
      (br_if $columns (i32.lt_u (local.get $c) (local.get $k))))
    (local.get $to))`;
}

/** `multiply(matrix, rows, k, in, out, bytes)`: inputs lie one after another, `bytes` each; so do the outputs. */
export function multiplyWat(layout: Layout): string {
  const call = (rows: number) => `(call $strip${rows}
      (local.get $in) (local.get $out) (local.get $bytes) (i32.const ${layout.tables})
      (call $arrange (local.get $matrix) (i32.const ${rows}) (local.get $k)))
    (local.set $matrix (i32.add (local.get $matrix) (i32.mul (local.get $k) (i32.const ${rows}))))
    (local.set $out (i32.add (local.get $out) (i32.mul (local.get $bytes) (i32.const ${rows}))))
    (local.set $rows (i32.sub (local.get $rows) (i32.const ${rows})))`;
  const sizes = range(ROWS_AT_ONCE).map((i) => ROWS_AT_ONCE - i);
  return `${lines(sizes.map(stripFunction))}
  ${arrangeFunction(layout)}
  (func (export "multiply")
    (param $matrix i32) (param $rows i32) (param $k i32) (param $in i32) (param $out i32) (param $bytes i32)
    ${lines(
      sizes.map(
        (rows) => `(block $done${rows} (loop $again${rows}
      (br_if $done${rows} (i32.lt_u (local.get $rows) (i32.const ${rows})))
      ${call(rows)}
      (br $again${rows})))`,
      ),
    )})`;
}
