/**
 * WebAssembly text of what needs an element's one canonical form, and of choices by lane: signs, equality, bytes. A
 * mask is a v128 whose i32 lanes 0 and 2 are all ones where something holds of the first element, 1 and 3 of the second.
 */
import { LIMBS, limbBits, limbShift } from './field.ts';
import { call, constant, get, lines, locals, range, type Scratch, set } from './text.ts';

const limb = (i: number): string => `$l${i}`;
const sar = (value: string, bits: number) => `(i32x4.shr_s ${value} (i32.const ${bits}))`;
const add = (a: string, b: string) => `(i32x4.add ${a} ${b})`;
const times19 = (value: string) => `(i32x4.mul ${value} (i32x4.splat (i32.const 19)))`;

/** `$freeze(to, a)`: the limbs of the representative in [0, p), as ref10's `fe_tobytes`: q = ⌊a / p⌋ first. */
function freezeFunction(): string {
  const carry = (i: number) => [
    set('$c', sar(get(limb(i)), limbBits(i))),
    ...(i + 1 < LIMBS ? [set(limb(i + 1), add(get(limb(i + 1)), get('$c')))] : []),
    set(limb(i), `(i32x4.sub ${get(limb(i))} (i32x4.shl ${get('$c')} (i32.const ${limbBits(i)})))`),
  ];
  return `(func $freeze (param $to i32) (param $a i32)
    ${locals([...range(LIMBS).map(limb), '$q', '$c'], 'v128')}
    ${lines(range(LIMBS).map((i) => set(limb(i), `(v128.load64_zero offset=${8 * i} ${get('$a')})`)))}
    ${set('$q', sar(add(times19(get(limb(9))), `(i32x4.splat (i32.const ${1 << 24}))`), 25))}
    ${lines(range(LIMBS).map((i) => set('$q', sar(add(get(limb(i)), get('$q')), limbBits(i)))))}
    ${set(limb(0), add(get(limb(0)), times19(get('$q'))))}
    ${lines(range(LIMBS).flatMap(carry))}
    ${lines(range(LIMBS).map((i) => `(v128.store64_lane offset=${8 * i} 0 ${get('$to')} ${get(limb(i))})`))})`;
}

/** The first limbs of both elements in lanes 0, 1 and again in 2, 3. */
const spread = (value: string) => `(i8x16.shuffle 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 ${value} ${value})`;

/** `$isZero`, `$isNegative` (odd, RFC 9496 §3.1) and `$isEqual` answer masks. */
function tests(scratch: Scratch): string {
  const { frozen, difference } = scratch.pairs('frozen', 'difference');
  const frozenLimb = (i: number) => `(v128.load64_zero offset=${8 * i} ${frozen})`;
  const all = range(LIMBS)
    .map(frozenLimb)
    .reduce((a, b) => `(v128.or ${a} ${b})`);
  return `(func $isZero (param $a i32) (result v128)
    ${call('$freeze', frozen, get('$a'))}
    (i32x4.eq ${spread(all)} (v128.const i64x2 0 0)))
  (func $isNegative (param $a i32) (result v128)
    ${call('$freeze', frozen, get('$a'))}
    ${sar(`(i32x4.shl ${spread(frozenLimb(0))} (i32.const 31))`, 31)})
  (func $isEqual (param $a i32) (param $b i32) (result v128)
    ${call('$sub', difference, get('$a'), get('$b'))}
    ${call('$isZero', difference)})`;
}

const vectors = (body: (offset: string) => string): string =>
  lines(range(LIMBS / 2).map((i) => `(v128.store offset=${16 * i} ${get('$to')} ${body(`offset=${16 * i}`)})`));

/** `$select(to, a, b, mask)`: a where the mask is set, b elsewhere. `$negateWhere(to, a, mask)`. `$copy(to, a)`. */
const choices = `(func $select (param $to i32) (param $a i32) (param $b i32) (param $mask v128)
    ${vectors((at) => `(v128.bitselect (v128.load ${at} ${get('$a')}) (v128.load ${at} ${get('$b')}) ${get('$mask')})`)})
  (func $negateWhere (param $to i32) (param $a i32) (param $mask v128)
    ${vectors((at) => `(i32x4.sub (v128.xor (v128.load ${at} ${get('$a')}) ${get('$mask')}) ${get('$mask')})`)})
  (func $copy (param $to i32) (param $a i32)
    ${vectors((at) => `(v128.load ${at} ${get('$a')})`)})`;

/** `$toBytes(to, a)`: 32 bytes little-endian of the first element, then of the second. */
function toBytesFunction(scratch: Scratch): string {
  const { frozen } = scratch.pairs('frozen');
  const part = (lane: number, word: number, i: number) => {
    const shift = limbShift(i) - 64 * word;
    const value = `(i64.load32_u offset=${8 * i + 4 * lane} ${frozen})`;
    return shift >= 0 ? `(i64.shl ${value} (i64.const ${shift}))` : `(i64.shr_u ${value} (i64.const ${-shift}))`;
  };
  const touches = (word: number, i: number) => limbShift(i) < 64 * (word + 1) && limbShift(i) + limbBits(i) > 64 * word;
  const store = (lane: number, word: number) =>
    `(i64.store offset=${32 * lane + 8 * word} ${get('$to')} ${range(LIMBS)
      .filter((i) => touches(word, i))
      .map((i) => part(lane, word, i))
      .reduce((a, b) => `(i64.or ${a} ${b})`)})`;
  return `(func $toBytes (param $to i32) (param $a i32)
    ${call('$freeze', frozen, get('$a'))}
    ${lines([0, 1].flatMap((lane) => range(4).map((word) => store(lane, word))))})`;
}

/** `$fromBytes(to, at)`: the reverse; bit 255 is dropped, a value of p or more taken as it is. */
function fromBytesFunction(): string {
  const read = (lane: number, i: number) => {
    const word = limbShift(i) >> 6;
    const offset = limbShift(i) & 63;
    const at = (w: number) => `(i64.load offset=${32 * lane + 8 * w} ${get('$at')})`;
    const low = `(i64.shr_u ${at(word)} (i64.const ${offset}))`;
    const whole = offset + limbBits(i) <= 64;
    const value = whole ? low : `(i64.or ${low} (i64.shl ${at(word + 1)} (i64.const ${64 - offset})))`;
    const mask = `(i64.const ${2 ** limbBits(i) - 1})`;
    return `(i64.store32 offset=${8 * i + 4 * lane} ${get('$to')} (i64.and ${value} ${mask}))`;
  };
  return `(func $fromBytes (param $to i32) (param $at i32)
    ${lines([0, 1].flatMap((lane) => range(LIMBS).map((i) => read(lane, i))))})`;
}

export const canonicalWat = (scratch: Scratch): string =>
  lines([freezeFunction(), tests(scratch), choices, toBytesFunction(scratch), fromBytesFunction()]);

/** 1 where the mask is set for the first element, 2 for the second, their sum for both. */
export const maskBits = (mask: string): string => `(i32.and (i32x4.bitmask ${mask}) ${constant(3)})`;
