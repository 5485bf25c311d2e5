/**
 * WebAssembly text of arithmetic mod p = 2²⁵⁵ − 19, on two elements at once. An element is ten signed limbs of 26 and
 * 25 bits by turns (limb i weighs 2^⌈25.5·i⌉, after Bernstein's ref10); a *pair* is 80 bytes, in which the i32 at 8·i is
 * limb i of the first element and the i32 at 8·i + 4 that of the second. So one `extmul_low` makes two products, and
 * sums need no carry: a product takes sums of up to three of products' results and gives limbs below 2²⁵ or 2²⁴.
 * Every function takes the addresses of pairs, result first; the result may be one of the operands.
 */
import { get, lines, locals, range, set } from './text.ts';

export const LIMBS = 10;
export const P: bigint = 2n ** 255n - 19n;

export const limbBits = (limb: number): number => (limb % 2 === 0 ? 26 : 25);
export const limbShift = (limb: number): number => Math.ceil(25.5 * limb);

/** The limbs of a number below p, none negative. */
export const limbsOf = (value: bigint): number[] =>
  range(LIMBS).map((i) => Number((value >> BigInt(limbShift(i))) & ((1n << BigInt(limbBits(i))) - 1n)));

const H = range(LIMBS).map((i) => `$h${i}`);
const h = (i: number): string => H[i % LIMBS] as string;

const load = (from: string, limb: number) => `(v128.load64_zero offset=${8 * limb} ${get(from)})`;
const product = (a: string, b: string) => `(i64x2.extmul_low_i32x4_s ${a} ${b})`;
const plus = (a: string, b: string) => `(i64x2.add ${a} ${b})`;
const splat64 = (value: bigint) => `(v128.const i64x2 ${value} ${value})`;

/**
 * Moves what exceeds limb i's bits, rounded to nearest, into the next limb; 2²⁵⁵ = 19, so the last limb's goes to the
 * first 19 times. SSE has no arithmetic shift of 64 bits: 2⁶² is added before and taken away behind a logical one
 * (sums of products stay below 2⁶¹).
 */
function carry(i: number): string {
  const bits = limbBits(i);
  const biased = plus(get(h(i)), splat64(2n ** 62n + 2n ** BigInt(bits - 1)));
  const carried = get('$c');
  const times19 = plus(plus(`(i64x2.shl ${carried} (i32.const 4))`, `(i64x2.shl ${carried} (i32.const 1))`), carried);
  return lines([
    set('$c', `(i64x2.sub (i64x2.shr_u ${biased} (i32.const ${bits})) ${splat64(2n ** BigInt(62 - bits))})`),
    set(h(i + 1), plus(get(h(i + 1)), i === LIMBS - 1 ? times19 : carried)),
    set(h(i), `(i64x2.sub ${get(h(i))} (i64x2.shl ${carried} (i32.const ${bits})))`),
  ]);
}

/** ref10's order of carries, in two chains that do not wait for each other, and the store. */
const reduceAndStore: string = lines([
  ...[0, 4, 1, 5, 2, 6, 3, 7, 4, 8, 9, 0].map(carry),
  ...range(LIMBS / 2).map(
    (i) => `(v128.store offset=${16 * i} ${get('$to')}
      (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 ${get(h(2 * i))} ${get(h(2 * i + 1))}))`,
  ),
]);

/** h_i+j += f_i·g_j, doubled where both limbs are odd (their weights multiply to one bit more), 19-fold past the end. */
function mulFunction(): string {
  const g = (j: number) => `$g${j}`;
  const wrapped = (j: number) => `$w${j}`;
  const row = (i: number) => [
    set('$f', load('$a', i)),
    ...(i % 2 ? [set('$f2', `(i32x4.add ${get('$f')} ${get('$f')})`)] : []),
    ...range(LIMBS).map((j) => {
      const left = i % 2 && j % 2 ? '$f2' : '$f';
      const term = product(get(left), get(i + j < LIMBS ? g(j) : wrapped(j)));
      return set(h(i + j), i === 0 ? term : plus(get(h(i + j)), term));
    }),
  ];
  return `(func $mul (param $to i32) (param $a i32) (param $b i32)
    ${locals(['$f', '$f2', '$c', ...range(LIMBS).flatMap((j) => [g(j), wrapped(j)]), ...H], 'v128')}
    ${lines(range(LIMBS).map((j) => set(g(j), load('$b', j))))}
    ${lines(
      range(LIMBS)
        .slice(1)
        .map((j) => set(wrapped(j), `(i32x4.mul ${get(g(j))} (i32x4.splat (i32.const 19)))`)),
    )}
    ${lines(range(LIMBS).flatMap(row))}
    ${reduceAndStore})`;
}

/** As `$mul` of an element by itself, with each of the 45 mixed products made once. */
function squareFunction(): string {
  const f = (i: number) => `$f${i}`;
  const times = (factor: number, i: number) => (factor === 1 ? f(i) : `$f${i}x${factor}`);
  const doubled = range(LIMBS).map((i) => times(2, i));
  const fourfold = range(LIMBS / 2).map((i) => times(4, 2 * i + 1));
  const wrapped = range(LIMBS).map((i) => times(19, i));
  const started = new Set<string>();
  const terms = range(LIMBS).flatMap((i) =>
    range(LIMBS)
      .slice(i)
      .map((j) => {
        const factor = (i < j ? 2 : 1) * (i % 2 && j % 2 ? 2 : 1);
        const sum = h(i + j);
        const term = product(get(times(factor, i)), get(i + j < LIMBS ? f(j) : times(19, j)));
        const first = !started.has(sum);
        started.add(sum);
        return set(sum, first ? term : plus(get(sum), term));
      }),
  );
  return `(func $square (param $to i32) (param $a i32)
    ${locals([...range(LIMBS).map(f), ...doubled, ...fourfold, ...wrapped, '$c', ...H], 'v128')}
    ${lines(range(LIMBS).map((i) => set(f(i), load('$a', i))))}
    ${lines(range(LIMBS).map((i) => set(times(2, i), `(i32x4.add ${get(f(i))} ${get(f(i))})`)))}
    ${lines(range(LIMBS / 2).map((i) => set(times(4, 2 * i + 1), `(i32x4.shl ${get(f(2 * i + 1))} (i32.const 2))`)))}
    ${lines(range(LIMBS).map((i) => set(times(19, i), `(i32x4.mul ${get(f(i))} (i32x4.splat (i32.const 19)))`)))}
    ${lines(terms)}
    ${reduceAndStore})`;
}

/** Sums and differences, limb by limb: five vectors a pair. */
const plain = (name: string, operation: string): string => `(func ${name} (param $to i32) (param $a i32) (param $b i32)
  ${lines(
    range(LIMBS / 2).map(
      (i) => `(v128.store offset=${16 * i} ${get('$to')}
    (${operation} (v128.load offset=${16 * i} ${get('$a')}) (v128.load offset=${16 * i} ${get('$b')})))`,
    ),
  )})`;

export const fieldWat = (): string =>
  lines([mulFunction(), squareFunction(), plain('$add', 'i32x4.add'), plain('$sub', 'i32x4.sub')]);
