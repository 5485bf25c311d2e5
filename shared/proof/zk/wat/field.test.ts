import fc from 'fast-check';
import { expect, it } from 'vitest';
import wabt from 'wabt';
import { canonicalWat } from './canonical.ts';
import { constantsWat } from './constants.ts';
import { fieldWat, LIMBS, limbBits, limbShift, P } from './field.ts';
import { LAYOUT, PAIR_BYTES } from './layout.ts';
import { powersWat } from './powers.ts';
import { lines, range, Scratch } from './text.ts';

const FUNCTIONS = ['mul', 'square', 'add', 'sub', 'freeze', 'invert', 'toBytes', 'fromBytes'] as const;

/** The field's functions alone, exported. */
async function fieldModule() {
  const scratch = new Scratch();
  const text = `(module (memory (export "memory") 1 1) ${constantsWat()}
    ${lines([fieldWat(), canonicalWat(scratch), powersWat(scratch)])}
    ${lines(FUNCTIONS.map((name) => `(export "${name}" (func $${name}))`))})`;
  const parsed = (await wabt()).parseWat('field.wat', text, { simd: true });
  const bytes = new Uint8Array(parsed.toBinary({}).buffer);
  parsed.destroy();
  const exports = new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports;
  return exports as unknown as { memory: WebAssembly.Memory } & Record<
    (typeof FUNCTIONS)[number],
    (to: number, a: number, b?: number) => void
  >;
}

const wasm = await fieldModule();
const words = new Int32Array(wasm.memory.buffer);
const memory = new Uint8Array(wasm.memory.buffer);
const [A, B, OUT] = [0, 1, 2].map((i) => LAYOUT.codes + i * PAIR_BYTES) as [number, number, number];

const mod = (x: bigint): bigint => ((x % P) + P) % P;
const limbAt = (place: number, lane: number, limb: number): number => words[place / 4 + 2 * limb + lane] as number;
const valueAt = (place: number, lane: number): bigint =>
  mod(range(LIMBS).reduce((sum, i) => sum + (BigInt(limbAt(place, lane, i)) << BigInt(limbShift(i))), 0n));
const write = (place: number, limbs: readonly number[]) => words.set(limbs, place / 4);

/**
 * A pair of elements whose limbs are up to `results` times as large as those of a product's result, 1.01·2²⁵ and
 * 1.01·2²⁴; the extremes often.
 */
const pair = (results: number) =>
  fc.tuple(
    ...range(2 * LIMBS).map((at) => {
      const limit = Math.floor(results * 1.01 * 2 ** (limbBits(at >> 1) - 1));
      return fc.oneof(fc.integer({ min: -limit, max: limit }), fc.constantFrom(-limit, limit, 0, 1, -1));
    }),
  );

it('multiplies sums of four results by sums of three, both lanes, and keeps within its bounds', () => {
  const extreme = (results: number, sign: (i: number) => number) =>
    range(2 * LIMBS).map((at) => sign(at >> 1) * Math.floor(results * 1.01 * 2 ** (limbBits(at >> 1) - 1)));
  const check = (a: readonly number[], b: readonly number[]) => {
    write(A, a);
    write(B, b);
    wasm.mul(OUT, A, B);
    for (const lane of [0, 1]) {
      expect(valueAt(OUT, lane)).toBe(mod(valueAt(A, lane) * valueAt(B, lane)));
      for (const i of range(LIMBS)) {
        expect(Math.abs(limbAt(OUT, lane, i))).toBeLessThanOrEqual(1.01 * 2 ** (limbBits(i) - 1));
      }
    }
  };
  for (const a of [() => 1, () => -1, (i: number) => (i % 2 ? 1 : -1)]) {
    for (const b of [() => 1, () => -1, (i: number) => (i % 2 ? 1 : -1)]) check(extreme(4, a), extreme(3, b));
  }
  fc.assert(fc.property(pair(4), pair(3), check), { numRuns: 300 });
});

it('squares sums of three results', () => {
  fc.assert(
    fc.property(pair(3), (a) => {
      write(A, a);
      wasm.square(OUT, A);
      for (const lane of [0, 1]) expect(valueAt(OUT, lane)).toBe(mod(valueAt(A, lane) ** 2n));
    }),
    { numRuns: 300 },
  );
});

it('adds, subtracts, freezes and writes the one encoding', () => {
  fc.assert(
    fc.property(pair(1), pair(1), (a, b) => {
      write(A, a);
      write(B, b);
      const [x, y] = [0, 1].map((lane) => [valueAt(A, lane), valueAt(B, lane)] as const).map(([p, q]) => mod(p - q));
      wasm.sub(OUT, A, B);
      expect([valueAt(OUT, 0), valueAt(OUT, 1)]).toEqual([x, y]);
      wasm.freeze(OUT, OUT);
      expect(range(LIMBS).every((i) => limbAt(OUT, 0, i) >= 0 && limbAt(OUT, 0, i) < 2 ** limbBits(i))).toBe(true);
      wasm.toBytes(A, OUT);
      const read = (at: number) => memory.slice(at, at + 32).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
      expect([read(A), read(A + 32)]).toEqual([x, y]);
      wasm.fromBytes(B, A);
      wasm.add(B, B, OUT);
      expect([valueAt(B, 0), valueAt(B, 1)]).toEqual([mod(2n * (x ?? 0n)), mod(2n * (y ?? 0n))]);
    }),
    { numRuns: 300 },
  );
});

it('freezes the numbers around 0, p and 2²⁵⁵', () => {
  const around = [0n, P, 2n ** 255n].flatMap((at) => [-2n, -1n, 0n, 1n, 18n, 19n, 20n].map((d) => at + d));
  for (const value of around.filter((v) => v >= 0n && v < 2n ** 255n)) {
    for (let i = 0; i < 64; i++) memory[A + i] = Number((value >> BigInt(8 * (i % 32))) & 255n);
    wasm.fromBytes(B, A);
    wasm.freeze(OUT, B);
    const limbs = range(LIMBS).reduce((sum, i) => sum + (BigInt(limbAt(OUT, 1, i)) << BigInt(limbShift(i))), 0n);
    expect(limbs).toBe(mod(value));
  }
});

it('inverts, and gives 0 for 0', () => {
  fc.assert(
    fc.property(pair(1), (a) => {
      write(A, a);
      wasm.invert(B, A);
      wasm.mul(OUT, A, B);
      for (const lane of [0, 1]) expect(valueAt(OUT, lane)).toBe(valueAt(A, lane) === 0n ? 0n : 1n);
    }),
    { numRuns: 50 },
  );
  write(A, Array(2 * LIMBS).fill(0));
  wasm.invert(B, A);
  expect(valueAt(B, 0)).toBe(0n);
});
