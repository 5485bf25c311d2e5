/**
 * Builds `zk-kernel.wasm` from the generators in `wat/`: `node shared/proof/zk/build-zk-kernel.ts`, after any change to
 * them. A test rebuilds the module and compares it byte for byte. Used by developers and that test only.
 */
import { writeFileSync } from 'node:fs';
import { buildWat } from '#shared/codec/build-wat.ts';
import { canonicalWat } from './wat/canonical.ts';
import { constantsWat } from './wat/constants.ts';
import { fieldWat } from './wat/field.ts';
import { LAYOUT } from './wat/layout.ts';
import { pointsWat } from './wat/points.ts';
import { powersWat } from './wat/powers.ts';
import { ristrettoWat } from './wat/ristretto.ts';
import { tablesWat } from './wat/tables.ts';
import { Scratch } from './wat/text.ts';

/** The module as WebAssembly text. */
export function zkKernelWat(): string {
  const scratch = new Scratch();
  return `(module
  (memory (export "memory") ${LAYOUT.pages} ${LAYOUT.pages})
  ${constantsWat()}
  ${fieldWat()}
  ${canonicalWat(scratch)}
  ${powersWat(scratch)}
  ${pointsWat(scratch)}
  ${tablesWat(scratch)}
  ${ristrettoWat(scratch)})`;
}

export const buildZkKernel = (): Promise<Uint8Array> => buildWat('zk-kernel.wat', zkKernelWat());

if (import.meta.main) writeFileSync(new URL('./zk-kernel.wasm', import.meta.url), await buildZkKernel());
