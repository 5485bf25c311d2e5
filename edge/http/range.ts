/**
 * `Range` of RFC 9110 §14, for one file. What is malformed, names another unit or asks for several ranges is ignored
 * (the whole file is sent), as §14.2 allows; only a well-formed range that no byte can satisfy is refused with 416.
 */

/** `first` and `last` are byte positions, both inclusive. */
export type RangeDecision =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  | { readonly kind: 'unsatisfiable' };

const WHOLE: RangeDecision = { kind: 'whole' };
const UNSATISFIABLE: RangeDecision = { kind: 'unsatisfiable' };
/** `bytes=` is case-insensitive; optional whitespace may stand around the one range of the list. */
const ONE_RANGE = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;

/** @param bytes length of the file */
export function decideRange(header: string | undefined, bytes: number): RangeDecision {
  const match = header === undefined ? null : ONE_RANGE.exec(header.trim());
  if (!match) return WHOLE;
  const [, from = '', to = ''] = match;
  // Digits beyond 2^53 lose precision but stay larger than any file: comparisons below are all that is done with them.
  if (from === '') {
    if (to === '') return WHOLE;
    const suffix = Number(to);
    if (suffix === 0) return UNSATISFIABLE;
    // Satisfiable by §14.1.2, but Content-Range cannot name a part of nothing.
    if (bytes === 0) return WHOLE;
    return { kind: 'part', first: Math.max(0, bytes - suffix), last: bytes - 1 };
  }
  const first = Number(from);
  const last = to === '' ? Number.POSITIVE_INFINITY : Number(to);
  if (last < first) return WHOLE;
  if (first >= bytes) return UNSATISFIABLE;
  return { kind: 'part', first, last: Math.min(last, bytes - 1) };
}
