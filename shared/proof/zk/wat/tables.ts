/**
 * WebAssembly text of `normalize(from, count, prefixes, to0, to1)`: turns pairs of points into entries of two tables,
 * affine, (y+x, y−x, 2dxy), with one inversion for all of them (Montgomery's trick).
 */
import { CONSTANTS } from './constants.ts';
import { LIMBS } from './field.ts';
import { ENTRY_BYTES, PAIR_BYTES, POINT_PAIR_BYTES } from './layout.ts';
import { behind, call, get, lines, range, type Scratch, set } from './text.ts';

/** Takes a pair's lanes apart into component `c` of both entries. */
const split = (from: string, c: number): string =>
  lines(
    [0, 1].flatMap((lane) =>
      range(LIMBS).map(
        (i) =>
          `(i32.store offset=${4 * (LIMBS * c + i)} ${get(`$to${lane}`)} (i32.load offset=${8 * i + 4 * lane} ${from}))`,
      ),
    ),
  );

const step = (local: string, bytes: number) => set(local, behind(local, bytes));

export function tablesWat(scratch: Scratch): string {
  const { inverse, zInverse, x, y, sum } = scratch.pairs('inverse', 'zInverse', 'x', 'y', 'sum');
  const z = behind('$from', 2 * PAIR_BYTES);
  const writeEntries = lines([
    call('$mul', x, behind('$from', 0), zInverse),
    call('$mul', y, behind('$from', PAIR_BYTES), zInverse),
    call('$add', sum, y, x),
    split(sum, 0),
    call('$sub', sum, y, x),
    split(sum, 1),
    call('$mul', sum, x, y),
    call('$mul', sum, sum, CONSTANTS.twiceD),
    split(sum, 2),
  ]);
  return `(func (export "normalize")
    (param $from i32) (param $count i32) (param $prefix i32) (param $to0 i32) (param $to1 i32) (local $i i32)
    ${call('$copy', get('$prefix'), z)}
    ${set('$i', '(i32.const 1)')}
    (block $up (loop $products
      (br_if $up (i32.ge_u ${get('$i')} ${get('$count')}))
      ${step('$from', POINT_PAIR_BYTES)}
      ${call('$mul', behind('$prefix', PAIR_BYTES), get('$prefix'), z)}
      ${step('$prefix', PAIR_BYTES)}
      ${step('$to0', ENTRY_BYTES)} ${step('$to1', ENTRY_BYTES)}
      ${step('$i', 1)}
      (br $products)))
    ${call('$invert', inverse, get('$prefix'))}
    (block $down (loop $entries
      ${step('$prefix', -PAIR_BYTES)}
      ${step('$i', -1)}
      (if (i32.eqz ${get('$i')})
        (then ${call('$copy', zInverse, inverse)})
        (else
          ${call('$mul', zInverse, inverse, get('$prefix'))}
          ${call('$mul', inverse, inverse, z)}))
      ${writeEntries}
      (br_if $down (i32.eqz ${get('$i')}))
      ${step('$from', -POINT_PAIR_BYTES)}
      ${step('$to0', -ENTRY_BYTES)} ${step('$to1', -ENTRY_BYTES)}
      (br $entries))))`;
}
