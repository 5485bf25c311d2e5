/** WebAssembly text of ristretto255's encoding (RFC 9496 §4.3.1–4.3.2), two points at a time; names as in the RFC. */

import { maskBits } from './canonical.ts';
import { CONSTANTS } from './constants.ts';
import { PAIR_BYTES } from './layout.ts';
import { behind, call, constant, get, lines, range, type Scratch, set } from './text.ts';

const mul = (to: string, a: string, b: string) => call('$mul', to, a, b);
const add = (to: string, a: string, b: string) => call('$add', to, a, b);
const sub = (to: string, a: string, b: string) => call('$sub', to, a, b);
const square = (to: string, a: string) => call('$square', to, a);
const abs = (a: string) => call('$negateWhere', a, a, call('$isNegative', a));

/** `encode(p, to)`: 64 bytes. */
function encodeFunction(scratch: Scratch): string {
  const { u1, u2, den1, den2, zInv, ix, iy, enchanted, x, y, v, s } = scratch.pairs(
    ...(['u1', 'u2', 'den1', 'den2', 'zInv', 'ix', 'iy', 'enchanted', 'x', 'y', 'v', 's'] as const),
  );
  const [x0, y0, z0, t0] = [0, 1, 2, 3].map((i) => behind('$p', i * PAIR_BYTES)) as [string, string, string, string];
  return `(func (export "encode") (param $p i32) (param $to i32) (local $rotate v128)
    ${lines([
      add(u1, z0, y0),
      sub(u2, z0, y0),
      mul(u1, u1, u2),
      mul(u2, x0, y0),
      square(v, u2),
      mul(v, v, u1),
      `(drop ${call('$invSqrt', v, v)})`,
      mul(den1, v, u1),
      mul(den2, v, u2),
      mul(zInv, den1, den2),
      mul(zInv, zInv, t0),
      mul(ix, x0, CONSTANTS.sqrtMinusOne),
      mul(iy, y0, CONSTANTS.sqrtMinusOne),
      mul(enchanted, den1, CONSTANTS.invSqrtAMinusD),
      mul(s, t0, zInv),
      set('$rotate', call('$isNegative', s)),
      call('$select', x, iy, x0, get('$rotate')),
      call('$select', y, ix, y0, get('$rotate')),
      call('$select', den2, enchanted, den2, get('$rotate')),
      mul(s, x, zInv),
      call('$negateWhere', y, y, call('$isNegative', s)),
      sub(s, z0, y),
      mul(s, s, den2),
      abs(s),
      call('$toBytes', get('$to'), s),
    ])})`;
}

/** `decode(p, from)`: 64 bytes to two points; bits 0 and 1 of the answer say which of them were canonical encodings. */
function decodeFunction(scratch: Scratch): string {
  const { s, ss, u1, u2, u2u2, v, root, denX, denY } = scratch.pairs(
    ...(['s', 'ss', 'u1', 'u2', 'u2u2', 'v', 'root', 'denX', 'denY'] as const),
  );
  // 64 bytes, within one pair's place.
  const { again } = scratch.pairs('again');
  const [x, y, z, t] = [0, 1, 2, 3].map((i) => behind('$p', i * PAIR_BYTES)) as [string, string, string, string];
  const same = (lane: number) =>
    range(4)
      .map((word) => `offset=${32 * lane + 8 * word}`)
      .map((at) => `(i64.eq (i64.load ${at} ${again}) (i64.load ${at} ${get('$from')}))`)
      .reduce((a, b) => `(i32.and ${a} ${b})`);
  const without = (mask: string) => `(v128.andnot ${get('$valid')} ${mask})`;
  return `(func (export "decode") (param $p i32) (param $from i32) (result i32) (local $valid v128) (local $canonical i32)
    ${lines([
      call('$fromBytes', s, get('$from')),
      // s < p, and nothing in bit 255: then, and only then, it is written back as it came.
      call('$toBytes', again, s),
      set('$canonical', `(i32.or ${same(0)} (i32.shl ${same(1)} ${constant(1)}))`),
      square(ss, s),
      sub(u1, CONSTANTS.one, ss),
      add(u2, CONSTANTS.one, ss),
      square(u2u2, u2),
      square(v, u1),
      mul(v, v, CONSTANTS.d),
      sub(v, CONSTANTS.zero, v),
      sub(v, v, u2u2),
      mul(root, v, u2u2),
      set('$valid', call('$invSqrt', root, root)),
      mul(denX, root, u2),
      mul(denY, root, denX),
      mul(denY, denY, v),
      mul(x, s, denX),
      add(x, x, x),
      abs(x),
      mul(y, u1, denY),
      mul(t, x, y),
      call('$copy', z, CONSTANTS.one),
      set('$valid', without(call('$isNegative', s))),
      set('$valid', without(call('$isNegative', t))),
      set('$valid', without(call('$isZero', y))),
    ])}
    (i32.and ${get('$canonical')} ${maskBits(get('$valid'))}))`;
}

export const ristrettoWat = (scratch: Scratch): string => lines([encodeFunction(scratch), decodeFunction(scratch)]);
