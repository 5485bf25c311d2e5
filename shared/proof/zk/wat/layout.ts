/**
 * Where things lie in the zk kernel's memory. Small things first, then what TypeScript hands over and takes back, then
 * the window tables of the 35 generators. Shared by the generator (`build-zk-kernel.ts`) and `wasm-zk-kernel.ts`.
 */
const PAGE_BYTES = 65_536;

/** A field element of two lanes; `field.ts` draws it. */
export const PAIR_BYTES = 80;
/** X, Y, Z, T of two points; also the cached form Y+X, Y−X, 2Z, 2dT. */
export const POINT_PAIR_BYTES = 4 * PAIR_BYTES;
/** y+x, y−x, 2dxy of one affine point, 40 bytes each, filled up to two cache lines. */
export const ENTRY_BYTES = 128;

/** Digits of a scalar: signed, in [−2⁷, 2⁷). Wider windows need fewer additions, and tables beyond the caches. */
export const WINDOW_BITS = 8;
/** Of a whole scalar, < 2²⁵³: the last digit takes the carry of the one before. */
export const WINDOWS = Math.ceil(254 / WINDOW_BITS);
/** Multiples 0 … 2⁷ of a window's base; the digit's sign is applied as an entry is read. */
export const WINDOW_MULTIPLES = 2 ** (WINDOW_BITS - 1);
export const WINDOW_BYTES = (WINDOW_MULTIPLES + 1) * ENTRY_BYTES;

/** 35 generators in lanes of two; the last lane repeats B. */
export const TABLES = 36;
/** Leaves that are summed at once, window by window: their accumulators and one window's table share the L2 cache. */
export const BATCH_ROWS = 256;
/** Points of a variable-base sum whose tables are kept at once. */
export const BATCH_POINTS = 128;
/** Digits of those are in [−8, 8). */
export const POINT_WINDOW_BITS = 4;
export const POINT_MULTIPLES = 2 ** (POINT_WINDOW_BITS - 1);

const CODES_AT = 16_384;
const BYTES_AT = CODES_AT + 4 * Math.max(BATCH_ROWS, WINDOWS * 36);
const SUMS_AT = BYTES_AT + 32 * BATCH_ROWS;
const WORK_AT = SUMS_AT + POINT_PAIR_BYTES * (BATCH_ROWS / 2 + 2);
const WORK_BYTES = Math.max(
  WINDOW_MULTIPLES * (POINT_PAIR_BYTES + PAIR_BYTES),
  (BATCH_POINTS / 2) * (POINT_MULTIPLES + 1) * POINT_PAIR_BYTES,
);
const TABLES_AT = Math.ceil((WORK_AT + WORK_BYTES) / PAGE_BYTES) * PAGE_BYTES;

export const LAYOUT = {
  /** Curve constants, pairs with both lanes alike. */
  constants: 0,
  /** Intermediate values, a place of its own for each function. */
  scratch: 1024,
  /** Addresses of table entries, each with the digit's sign in its lowest bit. */
  codes: CODES_AT,
  /** Encoded points. */
  bytes: BYTES_AT,
  /** Accumulators, pairs of points; and two more. */
  sums: SUMS_AT,
  /** Multiples of points. */
  work: WORK_AT,
  tables: TABLES_AT,
  pages: Math.ceil((TABLES_AT + TABLES * WINDOWS * WINDOW_BYTES) / PAGE_BYTES),
} as const;
