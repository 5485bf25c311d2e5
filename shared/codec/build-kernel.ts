/**
 * Builds `kernel.wasm` from the generators in `wat/`: `node shared/codec/build-kernel.ts`, after any change to them.
 * The text is generated because its loops are unrolled; a test rebuilds the module and compares it byte for byte.
 * Used by developers and that test only, never at run time.
 */
import { writeFileSync } from 'node:fs';
import { buildWat } from './build-wat.ts';
import { LAYOUT } from './wat/layout.ts';
import { multiplyWat } from './wat/multiply.ts';
import { ROUND_CONSTANTS, sha256Wat } from './wat/sha256.ts';
import { sha256RunWat } from './wat/sha256-run.ts';

/** The module as WebAssembly text. */
export function kernelWat(): string {
  const constants = ROUND_CONSTANTS.flatMap((word) => [0, 8, 16, 24].map((shift) => (word >>> shift) & 255));
  const escaped = constants.map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  return `(module
  (memory (export "memory") ${LAYOUT.pages} ${LAYOUT.pages})
  (data (i32.const ${LAYOUT.roundConstants}) "${escaped}")
  ${multiplyWat(LAYOUT)}
  ${sha256Wat(LAYOUT)}
  ${sha256RunWat(LAYOUT)})`;
}

export const buildKernel = (): Promise<Uint8Array> => buildWat('kernel.wat', kernelWat());

if (import.meta.main) writeFileSync(new URL('./kernel.wasm', import.meta.url), await buildKernel());
