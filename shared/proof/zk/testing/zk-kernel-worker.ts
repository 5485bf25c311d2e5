/**
 * The Worker of `zk-kernel-workerd.test.ts` and of `bench/zk.ts`: answers 32 bytes of blind key and a shard with the
 * commitments to its leaves, made as often as `times` says.
 */
import { zkGenerators } from '#shared/proof/zk/generators.ts';
import { instantiateZkKernel } from '#shared/proof/zk/wasm-zk-kernel.ts';
import { commitLeaves } from '#shared/proof/zk/zk-anchor.ts';
import type { ZkKernel } from '#shared/proof/zk/zk-kernel.ts';
import zkKernelModule from '#shared/proof/zk/zk-kernel.wasm';

let kernel: ZkKernel | undefined;

export default {
  async fetch(request: Request): Promise<Response> {
    const body = new Uint8Array(await request.arrayBuffer());
    kernel ??= instantiateZkKernel(zkKernelModule, zkGenerators());
    const times = Number(new URL(request.url).searchParams.get('times') ?? 1);
    let commitments = new Uint8Array(0);
    for (let i = 0; i < times; i++) {
      commitments = commitLeaves(kernel, body.subarray(0, 32), body.subarray(32), 0).slice();
    }
    return new Response(commitments);
  },
};
