/**
 * WebAssembly text of edwards25519 in extended coordinates (X : Y : Z : T), after Hisil, Wong, Carter, Dawson: "Twisted
 * Edwards Curves Revisited" (2008), §3.1–3.3 with a = −1; complete, so no case is special. A pair of points is four
 * pairs; the address of the accumulator comes first and it is changed in place.
 */
import { CONSTANTS } from './constants.ts';
import { LIMBS } from './field.ts';
import { PAIR_BYTES, POINT_PAIR_BYTES } from './layout.ts';
import { behind, call, get, lines, locals, range, repeat, type Scratch, set } from './text.ts';

const coordinates = (local: string): [string, string, string, string] => [
  behind(local, 0),
  behind(local, PAIR_BYTES),
  behind(local, 2 * PAIR_BYTES),
  behind(local, 3 * PAIR_BYTES),
];
const mul = (to: string, a: string, b: string) => call('$mul', to, a, b);
const add = (to: string, a: string, b: string) => call('$add', to, a, b);
const sub = (to: string, a: string, b: string) => call('$sub', to, a, b);
const square = (to: string, a: string) => call('$square', to, a);

function doubleFunction(scratch: Scratch): string {
  const { a, b, c, e, f, g, h } = scratch.pairs('a', 'b', 'c', 'e', 'f', 'g', 'h');
  const [x, y, z, t] = coordinates('$p');
  return `(func $double (param $p i32)
    ${lines([
      add(e, x, y),
      square(e, e),
      square(a, x),
      square(b, y),
      square(c, z),
      add(c, c, c),
      add(h, a, b),
      sub(e, h, e),
      sub(g, a, b),
      // f sums four results: more than a right operand, whose 19-fold must fit 32 bits, may be.
      add(f, c, g),
      mul(x, f, e),
      mul(y, g, h),
      mul(t, e, h),
      mul(z, f, g),
    ])})`;
}

/** What the two additions share; `twiceZ` makes 2·Z₁·Z₂, operands are places. */
function addition(scratch: Scratch, plus: string, minus: string, twiceDxy: string, twiceZ: (to: string) => string) {
  const { a, b, c, d, e, f, g, h } = scratch.pairs('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
  const [x, y, z, t] = coordinates('$p');
  return lines([
    sub(a, y, x),
    mul(a, a, minus),
    add(b, y, x),
    mul(b, b, plus),
    mul(c, t, twiceDxy),
    twiceZ(d),
    sub(e, b, a),
    sub(f, d, c),
    add(g, d, c),
    add(h, b, a),
    mul(x, e, f),
    mul(y, g, h),
    mul(t, e, h),
    mul(z, f, g),
  ]);
}

/** `$cache(to, p)`: (Y+X, Y−X, 2Z, 2dT), the form that `$addCached(p, cached)` takes. */
function cachedFunctions(scratch: Scratch): string {
  const [x, y, z, t] = coordinates('$p');
  const [plus, minus, twiceZ, twiceDt] = coordinates('$cached');
  return `(func $cache (param $cached i32) (param $p i32)
    ${lines([add(plus, y, x), sub(minus, y, x), add(twiceZ, z, z), mul(twiceDt, t, CONSTANTS.twiceD)])})
  (func $addCached (param $p i32) (param $cached i32)
    ${addition(scratch, plus, minus, twiceDt, (to) => mul(to, z, twiceZ))})`;
}

const bytesOf = (words: readonly number[]) => words.flatMap((w) => range(4).map((i) => 4 * w + i)).join(' ');
/** Of two vectors of limbs: their first two by turns, their last two by turns; and of two pairs, each its own lane. */
const LOW_WORDS = bytesOf([0, 4, 1, 5]);
const HIGH_WORDS = bytesOf([2, 6, 3, 7]);
const OWN_LANES = bytesOf([0, 5, 2, 7]);

/**
 * Reads one entry for each lane into places of its own. A code is an entry's address with the digit's sign in bit 0: of
 * −P, y+x and y−x change places and the last component is negated.
 * @param stride between limbs: 4 in the generators' tables, 8 where both lanes' multiples lie together
 */
function gather(stride: 4 | 8, plus: string, minus: string, last: string, between?: string): string {
  const component = stride * LIMBS;
  const signed = (value: string) => `(i32x4.sub (v128.xor ${value} ${get('$signs')}) ${get('$signs')})`;
  /** One component: `first` points to the first lane's, `second` to the second lane's. */
  const both = (to: string, first: string, second: string, offset: number, negate: boolean) => {
    const store = (at: number, value: string) => `(v128.store offset=${at} ${to} ${negate ? signed(value) : value})`;
    const loads = (at: number, width: 'load' | 'load64_zero') => [
      set('$one', `(v128.${width} offset=${offset + at} ${get(first)})`),
      set('$two', `(v128.${width} offset=${offset + at} ${get(second)})`),
    ];
    const merged = (words: string) => `(i8x16.shuffle ${words} ${get('$one')} ${get('$two')})`;
    if (stride === 8) {
      return lines(range(5).flatMap((i) => [...loads(16 * i, 'load'), store(16 * i, merged(OWN_LANES))]));
    }
    return lines([
      ...range(2).flatMap((i) => [
        ...loads(16 * i, 'load'),
        store(32 * i, merged(LOW_WORDS)),
        store(32 * i + 16, merged(HIGH_WORDS)),
      ]),
      ...loads(32, 'load64_zero'),
      store(64, merged(LOW_WORDS)),
    ]);
  };
  const addresses = (code: string, lane: number) => [
    set(`$minus${lane}`, `(i32.mul (i32.and ${get(code)} (i32.const 1)) (i32.const ${component}))`),
    set(`$at${lane}`, `(i32.and ${get(code)} (i32.const -2))`),
    set(`$plus${lane}`, `(i32.add ${get(`$at${lane}`)} ${get(`$minus${lane}`)})`),
    set(`$minus${lane}`, `(i32.add ${get(`$at${lane}`)} (i32.sub (i32.const ${component}) ${get(`$minus${lane}`)}))`),
  ];
  const sign = (code: string) => `(i32.sub (i32.const 0) (i32.and ${get(code)} (i32.const 1)))`;
  return lines([
    ...addresses('$code0', 0),
    ...addresses('$code1', 1),
    set('$signs', `(i32x4.replace_lane 1 (i32x4.splat ${sign('$code0')}) ${sign('$code1')})`),
    set('$signs', `(i32x4.replace_lane 3 ${get('$signs')} ${sign('$code1')})`),
    both(plus, '$plus0', '$plus1', 0, false),
    both(minus, '$minus0', '$minus1', 0, false),
    ...(between ? [both(between, '$at0', '$at1', 2 * component, false)] : []),
    both(last, '$at0', '$at1', (between ? 3 : 2) * component, true),
  ]);
}
const GATHER_LOCALS = `${locals(['$at0', '$at1', '$plus0', '$plus1', '$minus0', '$minus1'], 'i32')} ${locals(['$signs', '$one', '$two'], 'v128')}`;

/** `$addEntries(p, code0, code1)` from the generators' tables; `$addMultiples(p, code0, code1)` from cached multiples. */
function lookupFunctions(scratch: Scratch): string {
  const entry = scratch.pairs('plus', 'minus', 'twiceDxy');
  const cached = scratch.pairs('plus', 'minus', 'twiceZ', 'twiceDt');
  const z = behind('$p', 2 * PAIR_BYTES);
  return `(func $addEntries (param $p i32) (param $code0 i32) (param $code1 i32)
    ${GATHER_LOCALS}
    ${gather(4, entry.plus, entry.minus, entry.twiceDxy)}
    ${addition(scratch, entry.plus, entry.minus, entry.twiceDxy, (to) => add(to, z, z))})
  (func $addMultiples (param $p i32) (param $code0 i32) (param $code1 i32)
    ${GATHER_LOCALS}
    ${gather(8, cached.plus, cached.minus, cached.twiceDt, cached.twiceZ)}
    ${addition(scratch, cached.plus, cached.minus, cached.twiceDt, (to) => mul(to, z, cached.twiceZ))})`;
}

/** Loops over a row of codes, two an addition; `stride` moves from accumulator to accumulator, or stays with one. */
const sumFunction = (name: string, adder: string) => `(func (export "${name}")
    (param $p i32) (param $stride i32) (param $codes i32) (param $pairs i32) (local $i i32)
    ${repeat(
      '$pairsLoop',
      '$i',
      '$pairs',
      `${call(adder, get('$p'), `(i32.load ${get('$codes')})`, `(i32.load offset=4 ${get('$codes')})`)}
      ${set('$p', `(i32.add ${get('$p')} ${get('$stride')})`)}
      ${set('$codes', behind('$codes', 8))}`,
    )})`;

/** `double(p, times)`, `addPair(p, q)`, `multiples(p, count, to)`: to = P, 2P, …, count·P one after another. */
function exportedFunctions(scratch: Scratch): string {
  const { plus } = scratch.pairs('plus', 'minus', 'twiceZ', 'twiceDt');
  const copyPoint = lines(
    range(4).map((i) => call('$copy', behind('$to', i * PAIR_BYTES), behind('$p', i * PAIR_BYTES))),
  );
  return `(func (export "double") (param $p i32) (param $times i32) (local $i i32)
    ${repeat('$timesLoop', '$i', '$times', call('$double', get('$p')))})
  (func (export "addPair") (param $p i32) (param $q i32)
    ${call('$cache', plus, get('$q'))}
    ${call('$addCached', get('$p'), plus)})
  (func (export "cache") (param $to i32) (param $p i32) ${call('$cache', get('$to'), get('$p'))})
  (func (export "multiples") (param $p i32) (param $count i32) (param $to i32)
    ${call('$cache', plus, get('$p'))}
    ${copyPoint}
    (block $done (loop $again
      (br_if $done (i32.eqz (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
      ${set('$p', get('$to'))}
      ${set('$to', behind('$to', POINT_PAIR_BYTES))}
      ${copyPoint}
      ${call('$addCached', get('$to'), plus)}
      (br $again))))`;
}

export const pointsWat = (scratch: Scratch): string =>
  lines([
    doubleFunction(scratch),
    cachedFunctions(scratch),
    lookupFunctions(scratch),
    sumFunction('sumEntries', '$addEntries'),
    sumFunction('sumMultiples', '$addMultiples'),
    exportedFunctions(scratch),
  ]);
