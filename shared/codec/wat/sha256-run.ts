/**
 * WebAssembly text of SHA-256 (FIPS 180-4) over one long message: a run of blocks goes into a state that the caller
 * brings and takes away, so that a file can be hashed in parts, each by another machine. Everything lives in locals;
 * the 64 rounds are unrolled, and instead of moving a…h the generator renames them. `wat/sha256.ts` has the other
 * way, four short messages at once.
 */
import type { Layout } from './layout.ts';
import { ROUND_CONSTANTS } from './sha256.ts';

const range = (count: number): number[] => [...Array(count).keys()];
const get = (local: string) => `(local.get ${local})`;
const set = (local: string, value: string) => `(local.set ${local} ${value})`;
const add = (...terms: string[]) => terms.reduce((a, b) => `(i32.add ${a} ${b})`);
const xor = (...terms: string[]) => terms.reduce((a, b) => `(i32.xor ${a} ${b})`);
const and = (a: string, b: string) => `(i32.and ${a} ${b})`;
const rotations = (x: string, bits: readonly number[]) =>
  xor(...bits.map((b) => `(i32.rotr ${get(x)} (i32.const ${b}))`));
const shift = (x: string, bits: number) => `(i32.shr_u ${get(x)} (i32.const ${bits}))`;

const STATE = ['$a', '$b', '$c', '$d', '$e', '$f', '$g', '$h'];
const SAVED = range(8).map((i) => `$s${i}`);
const WORDS = range(16).map((i) => `$w${i}`);
const word = (i: number): string => WORDS[i % 16] ?? '';

function round(index: number): string {
  const names = STATE.map((_, j) => STATE[(j - index + 64) % 8] ?? '');
  const [a = '', b = '', c = '', d = '', e = '', f = '', g = '', h = ''] = names;
  const choice = xor(get(g), and(get(e), xor(get(f), get(g))));
  const majority = xor(get(b), and(xor(get(a), get(b)), xor(get(b), get(c))));
  const constant = `(i32.const ${ROUND_CONSTANTS[index]})`;
  const extend =
    index < 16
      ? ''
      : set(
          word(index),
          add(
            get(word(index)),
            get(word(index + 9)),
            xor(rotations(word(index + 1), [7, 18]), shift(word(index + 1), 3)),
            xor(rotations(word(index + 14), [17, 19]), shift(word(index + 14), 10)),
          ),
        );
  return `${extend}
    ${set(h, add(get(h), get(word(index)), constant, choice, rotations(e, [6, 11, 25])))}
    ${set(d, add(get(d), get(h)))}
    ${set(h, add(get(h), majority, rotations(a, [2, 13, 22])))}`;
}

/** The bytes of each word reversed: big-endian on the wire, little-endian in a register. */
const SWAPPED = '3 2 1 0 7 6 5 4 11 10 9 8 15 14 13 12';
const loadWords = range(4)
  .map((quarter) => {
    const loaded = `(v128.load offset=${16 * quarter} align=1 (local.get $from))`;
    const words = range(4).map((lane) => set(word(4 * quarter + lane), `(i32x4.extract_lane ${lane} ${get('$v')})`));
    return `${set('$v', loaded)} ${set('$v', `(i8x16.shuffle ${SWAPPED} ${get('$v')} ${get('$v')})`)} ${words.join('\n')}`;
  })
  .join('\n');

const stateWord = (layout: Layout, i: number) => layout.state + 4 * i;

/** `hashRun(from, blocks)`: `blocks` × 64 bytes into the state at `layout.state`, 8 × u32 in the machine's order. */
export function sha256RunWat(layout: Layout): string {
  const locals = [...STATE, ...SAVED, ...WORDS].map((name) => `(local ${name} i32)`).join(' ');
  return `(func (export "hashRun") (param $from i32) (param $blocks i32) ${locals} (local $v v128)
    ${STATE.map((name, i) => set(name, `(i32.load offset=${stateWord(layout, i)} (i32.const 0))`)).join('\n')}
    (loop $again
      ${STATE.map((name, i) => set(SAVED[i] ?? '', get(name))).join('\n')}
      ${loadWords}
      ${range(64).map(round).join('\n')}
      ${STATE.map((name, i) => set(name, add(get(name), get(SAVED[i] ?? '')))).join('\n')}
      (local.set $from (i32.add (local.get $from) (i32.const 64)))
      (br_if $again (local.tee $blocks (i32.sub (local.get $blocks) (i32.const 1)))))
    ${STATE.map((name, i) => `(i32.store offset=${stateWord(layout, i)} (i32.const 0) ${get(name)})`).join('\n')})`;
}
