import { expect, it } from 'vitest';
import { gfInverse, gfMultiply } from './gf256.ts';

/** Shift and add, reduced by the polynomial: the definition. */
function slowMultiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) if ((b >> bit) & 1) product ^= a << bit;
  for (let bit = 15; bit >= 8; bit--) if ((product >> bit) & 1) product ^= 0x11d << (bit - 8);
  return product;
}

it('multiplies as polynomials mod 0x11d', () => {
  for (let a = 0; a < 256; a++) for (let b = 0; b < 256; b++) expect(gfMultiply(a, b)).toBe(slowMultiply(a, b));
});

it('inverts every element but zero', () => {
  for (let a = 1; a < 256; a++) expect(gfMultiply(a, gfInverse(a))).toBe(1);
  expect(() => gfInverse(0)).toThrow(RangeError);
});
