/** Numbers and text out of command arguments, refused where Redis refuses them, in its words. */
import type { ErrorReply } from '../engine.ts';

export const NOT_INTEGER: ErrorReply = { error: 'ERR value is not an integer or out of range' };
export const NOT_FLOAT: ErrorReply = { error: 'ERR value is not a valid float' };
export const MIN_MAX_NOT_FLOAT: ErrorReply = { error: 'ERR min or max is not a float' };
export const SYNTAX: ErrorReply = { error: 'ERR syntax error' };

export const INT64_MAX = 2n ** 63n - 1n;
export const INT64_MIN = -(2n ** 63n);

export const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
export const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** A signed 64-bit integer in its only spelling (no plus, no leading zeros, no blanks). */
export function int64(bytes: Uint8Array): bigint | undefined {
  const text = textOf(bytes);
  if (!/^(?:0|-?[1-9][0-9]{0,18})$/.test(text)) return undefined;
  const value = BigInt(text);
  return value >= INT64_MIN && value <= INT64_MAX ? value : undefined;
}

/** Decimal and infinite numbers as strtod reads them, less its hexadecimal spellings. */
export function float(text: string): number | undefined {
  if (/^[+-]?(?:inf|infinity)$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (!/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?$/i.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** A range's end, which Redis reads more freely than a score: leading blanks, nothing at all (0), overflow (inf). */
export function boundFloat(text: string): number | undefined {
  const trimmed = text.replace(/^[ \t\n\v\f\r]+/, '');
  if (text === '') return 0;
  const overflow = /^([+-]?)[0-9.]+(?:e[+-]?[0-9]+)?$/i.exec(trimmed);
  const value = float(trimmed);
  if (value !== undefined || !overflow || Number.isNaN(Number(trimmed))) return value;
  return overflow[1] === '-' ? -Infinity : Infinity;
}

/** A score as Redis prints it: integers plainly, others with 17 significant digits (%.17g). */
export function scoreText(score: number): string {
  if (score === Infinity) return 'inf';
  if (score === -Infinity) return '-inf';
  if (Number.isInteger(score) && Math.abs(score) < 1e17) return Object.is(score, -0) ? '-0' : score.toFixed(0);
  const [mantissa = '', exponentText = '0'] = score.toExponential(16).split('e');
  const exponent = Number(exponentText);
  const trim = (digits: string) => (digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits);
  if (exponent < -4 || exponent >= 17) {
    const size = Math.abs(exponent).toString().padStart(2, '0');
    return `${trim(mantissa)}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  return trim(score.toPrecision(17));
}

/** Start and end of a Redis range (negative counts from the end, both inclusive) as [from, to); from ≥ to is empty. */
export function clampRange(start: bigint, end: bigint, length: number): readonly [number, number] {
  const size = BigInt(length);
  const from = start < 0n ? (start + size < 0n ? 0n : start + size) : start;
  const to = end < 0n ? end + size : end >= size ? size - 1n : end;
  return from > to || from >= size ? [0, 0] : [Number(from), Number(to) + 1];
}
