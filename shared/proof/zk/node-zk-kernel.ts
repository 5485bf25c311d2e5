/**
 * The zk kernel in Node: the module is read from the file beside this one; compiled, and its tables built, once per
 * process, when first asked for. Wired in by the `main.ts` of miner, validator and client.
 */
import { readFileSync } from 'node:fs';
import { zkGenerators } from './generators.ts';
import { instantiateZkKernel } from './wasm-zk-kernel.ts';
import type { ZkKernel } from './zk-kernel.ts';

let kernel: ZkKernel | undefined;

export function loadNodeZkKernel(): ZkKernel {
  kernel ??= instantiateZkKernel(
    new WebAssembly.Module(readFileSync(new URL('./zk-kernel.wasm', import.meta.url))),
    zkGenerators(),
  );
  return kernel;
}
