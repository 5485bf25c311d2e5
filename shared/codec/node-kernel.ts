/**
 * The kernel in Node: the module is read from the file beside this one and compiled once per process.
 * Wired in by the `main.ts` of miner, validator and client.
 */
import { readFileSync } from 'node:fs';
import type { Kernel } from './kernel.ts';
import { instantiateKernel } from './wasm-kernel.ts';

let kernel: Kernel | undefined;

export function loadNodeKernel(): Kernel {
  kernel ??= instantiateKernel(new WebAssembly.Module(readFileSync(new URL('./kernel.wasm', import.meta.url))));
  return kernel;
}
