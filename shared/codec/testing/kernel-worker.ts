/**
 * The Worker of `kernel-workerd.test.ts`: answers a body with its leaf hashes (`/leaves`), or with all shards of it as a
 * segment at (k, n), made once from the data and once more from the last k shards (`/shards?k=&n=`).
 */
import kernelModule from '#shared/codec/kernel.wasm';
import { encodeRows, rebuild, splitSegment } from '#shared/codec/reed-solomon.ts';
import { instantiateKernel } from '#shared/codec/wasm-kernel.ts';
import { concatBytes } from '#shared/primitives/bytes.ts';

const kernel = instantiateKernel(kernelModule);

function shardsTwice(segment: Uint8Array, k: number, n: number): Uint8Array {
  const all = Array.from({ length: n }, (_, index) => index);
  const shards = encodeRows(kernel, splitSegment(segment, k), k, all);
  const last = shards.map((shard, index) => ({ index, shard })).slice(-k);
  return concatBytes(...shards, ...rebuild(kernel, k, n, last, all));
}

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const body = new Uint8Array(await request.arrayBuffer());
    const answer =
      pathname === '/leaves'
        ? kernel.hashLeaves(body)
        : shardsTwice(body, Number(searchParams.get('k')), Number(searchParams.get('n')));
    return new Response(answer.slice().buffer);
  },
};
