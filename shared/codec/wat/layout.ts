/**
 * Where things lie in the kernel's memory, which never grows: shards of any size pass through its arena strip by strip.
 * Shared by the generator (`build-kernel.ts`) and by `wasm-kernel.ts`, so both sides agree.
 */
const PAGE_BYTES = 65_536;

export const LAYOUT = {
  /** Round constants of SHA-256, 64 × u32. */
  roundConstants: 0,
  /** Hash state, 8 words × 4 lanes. */
  state: 256,
  /** Message schedule, 16 words × 4 lanes, a ring. */
  schedule: 384,
  /** Coefficients of a matrix, at most 256 × 256. */
  matrix: 1024,
  /** Products of every coefficient with the 16 low and the 16 high nibbles: 256 × 32 bytes. */
  products: PAGE_BYTES + 1024,
  /** Tables of the rows at work, in order of use: at most 4 rows × 256 columns × 32 bytes. */
  tables: PAGE_BYTES + 1024 + 8192,
  /** Strips of inputs and outputs; leaves and their hashes. */
  arena: 2 * PAGE_BYTES,
  pages: 10,
} as const;

export type Layout = typeof LAYOUT;

export const ARENA_BYTES = LAYOUT.pages * PAGE_BYTES - LAYOUT.arena;
