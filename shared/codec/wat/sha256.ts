/**
 * WebAssembly text of SHA-256 (FIPS 180-4) over four messages at once: one lane of an i32x4 each, every word of the
 * state and of the message schedule a vector. The schedule is a ring of 16 words in memory; the state stays in locals
 * through the 64 rounds, and instead of moving a…h from round to round the generator renames them.
 */
import type { Layout } from './layout.ts';

const range = (count: number): number[] => [...Array(count).keys()];
const lines = (parts: readonly string[]): string => parts.join('\n');

/** The first 32 bits of the fractional part of a root of each of the first primes, as FIPS 180-4 §4.2.2, §5.3.3 say. */
function fractionalRoots(count: number, root: 2 | 3): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((p) => n % p !== 0)) primes.push(n);
  return primes.map((prime) => {
    // ⌊prime^(1/root) · 2³²⌋ by bisection over integers: floating point has too few bits.
    const scaled = BigInt(prime) << BigInt(32 * root);
    let low = 0n;
    let high = 1n << 40n;
    while (high - low > 1n) {
      const middle = (low + high) >> 1n;
      if (middle ** BigInt(root) <= scaled) low = middle;
      else high = middle;
    }
    return Number(low & 0xffffffffn);
  });
}

export const ROUND_CONSTANTS: readonly number[] = fractionalRoots(64, 3);
const INITIAL_STATE: readonly number[] = fractionalRoots(8, 2);

const get = (local: string) => `(local.get ${local})`;
const set = (local: string, value: string) => `(local.set ${local} ${value})`;
const xor = (...terms: string[]) => terms.reduce((a, b) => `(v128.xor ${a} ${b})`);
const and = (a: string, b: string) => `(v128.and ${a} ${b})`;
const add = (...terms: string[]) => terms.reduce((a, b) => `(i32x4.add ${a} ${b})`);
const shr = (x: string, bits: number) => `(i32x4.shr_u ${x} (i32.const ${bits}))`;
const shl = (x: string, bits: number) => `(i32x4.shl ${x} (i32.const ${bits}))`;
/** Rotations right, xored together: the two halves of each are disjoint, so xor joins them as well as or would. */
const rotations = (x: string, bits: readonly number[]) =>
  xor(...bits.flatMap((b) => [shr(get(x), b), shl(get(x), 32 - b)]));
const load = (address: number) => `(v128.load offset=${address} (i32.const 0))`;
const store = (address: number, value: string) => `(v128.store offset=${address} (i32.const 0) ${value})`;

/** One round; `s` names the locals that play a…h, `bc` holds b ⊕ c and `ab` receives a ⊕ b, the next round's b ⊕ c. */
function round(s: readonly string[], index: number, ab: string, bc: string): string {
  const [a = '', b = '', , d = '', e = '', f = '', g = '', h = ''] = s;
  const constant = `(v128.load32_splat offset=${4 * index} (local.get $constants))`;
  const choice = xor(get(g), and(get(e), xor(get(f), get(g))));
  return lines([
    set(h, add(get(h), add(get('$w'), constant), choice, rotations(e, [6, 11, 25]))),
    set(d, add(get(d), get(h))),
    set(ab, xor(get(a), get(b))),
    set(h, add(get(h), xor(get(b), and(get(ab), get(bc))), rotations(a, [2, 13, 22]))),
  ]);
}

/** Sixteen rounds; with `extend` each word, once used, gives way to the word 16 rounds later. `$w` is the word in use. */
function rounds(layout: Layout, extend: boolean): string {
  const word = (i: number) => layout.schedule + 16 * (i % 16);
  const names = ['$a', '$b', '$c', '$d', '$e', '$f', '$g', '$h'];
  return lines(
    range(16).map((i) => {
      const rotated = names.map((_, j) => names[(j - i + 32) % 8] ?? '');
      const [ab, bc] = i % 2 === 0 ? ['$x', '$y'] : ['$y', '$x'];
      const step = [round(rotated, i, ab ?? '', bc ?? '')];
      if (extend) {
        step.push(set('$w1', load(word(i + 1))), set('$w14', load(word(i + 14))));
        const small0 = xor(rotations('$w1', [7, 18]), shr(get('$w1'), 3));
        const small1 = xor(rotations('$w14', [17, 19]), shr(get('$w14'), 10));
        step.push(store(word(i), add(get('$w'), load(word(i + 9)), small0, small1)), set('$w', get('$w1')));
      } else if (i < 15) step.push(set('$w', load(word(i + 1))));
      return lines(step);
    }),
  );
}

/** `$compress`: one block of each lane, its 16 words in the schedule, into the state. */
function compressFunction(layout: Layout): string {
  const names = ['$a', '$b', '$c', '$d', '$e', '$f', '$g', '$h'];
  const word = (i: number) => layout.state + 16 * i;
  return `(func $compress (local $constants i32)
    ${lines([...names, '$w', '$w1', '$w14', '$x', '$y'].map((name) => `(local ${name} v128)`))}
    ${lines(names.map((name, i) => set(name, load(word(i)))))}
    ${set('$y', xor(get('$b'), get('$c')))}
    ${set('$constants', `(i32.const ${layout.roundConstants})`)}
    ${set('$w', load(layout.schedule))}
    (loop $again
      ${rounds(layout, true)}
      (br_if $again (i32.ne (i32.const ${layout.roundConstants + 192})
        (local.tee $constants (i32.add (local.get $constants) (i32.const 64))))))
    ${rounds(layout, false)}
    ${lines(names.map((name, i) => store(word(i), add(get(name), load(word(i))))))})`;
}

/** Vectors whose bytes are 4 × u32 big-endian, from or to lanes: the reversal of bytes within each word. */
const SWAP = '(v128.const i8x16 3 2 1 0 7 6 5 4 11 10 9 8 15 14 13 12)';
const shuffle = (a: string, b: string, words: readonly number[]) =>
  `(i8x16.shuffle ${words.flatMap((w) => range(4).map((i) => 4 * w + i)).join(' ')} ${get(a)} ${get(b)})`;

/** Transposes the 4 × 4 words of $r0…$r3 in place. */
const transpose = lines([
  set('$t0', shuffle('$r0', '$r1', [0, 4, 1, 5])),
  set('$t1', shuffle('$r2', '$r3', [0, 4, 1, 5])),
  set('$t2', shuffle('$r0', '$r1', [2, 6, 3, 7])),
  set('$t3', shuffle('$r2', '$r3', [2, 6, 3, 7])),
  set('$r0', shuffle('$t0', '$t1', [0, 1, 4, 5])),
  set('$r1', shuffle('$t0', '$t1', [2, 3, 6, 7])),
  set('$r2', shuffle('$t2', '$t3', [0, 1, 4, 5])),
  set('$r3', shuffle('$t2', '$t3', [2, 3, 6, 7])),
]);
const swap = (x: string) => `(i8x16.relaxed_swizzle ${x} (local.get $swap))`;
const TRANSPOSE_LOCALS = lines(
  ['$swap', '$r0', '$r1', '$r2', '$r3', '$t0', '$t1', '$t2', '$t3'].map((name) => `(local ${name} v128)`),
);

/** `$fill(from, stride)`: the schedule's 16 words from 64 bytes of each lane, `stride` apart. */
function fillFunction(layout: Layout): string {
  const lanes = ['$from', '$from1', '$from2', '$from3'];
  return `(func $fill (param $from i32) (param $stride i32) (local $from1 i32) (local $from2 i32) (local $from3 i32)
    ${TRANSPOSE_LOCALS}
    ${set('$swap', SWAP)}
    ${lines([1, 2, 3].map((i) => set(lanes[i] ?? '', `(i32.add ${get(lanes[i - 1] ?? '')} ${get('$stride')})`)))}
    ${lines(
      range(4).map((group) =>
        lines([
          ...lanes.map((lane, i) => set(`$r${i}`, swap(`(v128.load offset=${16 * group} align=1 ${get(lane)})`))),
          transpose,
          ...range(4).map((i) => store(layout.schedule + 16 * (4 * group + i), get(`$r${i}`))),
        ]),
      ),
    )})`;
}

/** `$begin()` sets the initial state; `$finish(to)` writes the four digests, 32 bytes each. */
function boundaryFunctions(layout: Layout): string {
  const half = (h: number) => [
    ...range(4).map((i) => set(`$r${i}`, load(layout.state + 16 * (4 * h + i)))),
    transpose,
    ...range(4).map((i) => `(v128.store offset=${32 * i + 16 * h} align=1 (local.get $to) ${swap(get(`$r${i}`))})`),
  ];
  return `(func $begin
    ${lines(INITIAL_STATE.map((word, i) => store(layout.state + 16 * i, `(i32x4.splat (i32.const ${word}))`)))})
  (func $finish (param $to i32) ${TRANSPOSE_LOCALS}
    ${set('$swap', SWAP)}
    ${lines([...half(0), ...half(1)])})`;
}

/**
 * `hashBodies(from, count, blocks, prefix, to)`: SHA-256 of prefix₁ ‖ body for `count` bodies of `blocks` × 64 bytes
 * one after another; digests go to `to`, which needs room for `count` rounded up to 4, as does the memory at `from`
 * (what lies there beyond the last body is hashed for nothing). A body's words straddle its bytes by one, so they are
 * read from one byte before it, where the first block's first byte is replaced by the prefix.
 * `hashMessage(from, blocks, to)`: SHA-256 of one message with its padding, in all four lanes; 128 bytes at `to`.
 */
export function sha256Wat(layout: Layout): string {
  const first = layout.schedule;
  const last = layout.schedule + 15 * 16;
  const keep = (mask: number, bits: string) =>
    store(first, `(v128.or (v128.and ${load(first)} (i32x4.splat (i32.const ${mask}))) (i32x4.splat ${bits}))`);
  return `${compressFunction(layout)} ${fillFunction(layout)} ${boundaryFunctions(layout)}
  (func (export "hashBodies")
    (param $from i32) (param $count i32) (param $blocks i32) (param $prefix i32) (param $to i32)
    (local $bodyBytes i32) (local $at i32) (local $end i32)
    (local.set $bodyBytes (i32.shl (local.get $blocks) (i32.const 6)))
    (local.set $from (i32.sub (local.get $from) (i32.const 1)))
    (loop $groups
      (call $begin)
      (local.set $at (local.get $from))
      (local.set $end (i32.add (local.get $from) (local.get $bodyBytes)))
      (call $fill (local.get $at) (local.get $bodyBytes))
      ${keep(0x00ffffff, '(i32.shl (local.get $prefix) (i32.const 24))')}
      (loop $body
        (call $compress)
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (call $fill (local.get $at) (local.get $bodyBytes))
        (br_if $body (i32.lt_u (local.get $at) (local.get $end))))
      ${keep(0xff000000, '(i32.const 0x00800000)')}
      ${lines(range(14).map((i) => store(layout.schedule + 16 * (i + 1), '(v128.const i64x2 0 0)')))}
      ${store(last, '(i32x4.splat (i32.add (i32.shl (local.get $bodyBytes) (i32.const 3)) (i32.const 8)))')}
      (call $compress)
      (call $finish (local.get $to))
      (local.set $to (i32.add (local.get $to) (i32.const 128)))
      (local.set $from (i32.add (local.get $from) (i32.shl (local.get $bodyBytes) (i32.const 2))))
      (local.set $count (i32.sub (local.get $count) (i32.const 4)))
      (br_if $groups (i32.gt_s (local.get $count) (i32.const 0)))))
  (func (export "hashMessage") (param $from i32) (param $blocks i32) (param $to i32)
    (call $begin)
    (loop $body
      (call $fill (local.get $from) (i32.const 0))
      (call $compress)
      (local.set $from (i32.add (local.get $from) (i32.const 64)))
      (br_if $body (local.tee $blocks (i32.sub (local.get $blocks) (i32.const 1)))))
    (call $finish (local.get $to)))`;
}
