import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BareWorker, startBareWorker } from '#shared/codec/testing/start-bare-worker.ts';
import { concatBytes, toHex } from '#shared/primitives/bytes.ts';
import { loadNodeZkKernel } from './node-zk-kernel.ts';
import { seededRandom } from './testing/zk-world.ts';
import { commitLeaves } from './zk-anchor.ts';

describe('in workerd the zk kernel', () => {
  let worker: BareWorker | undefined;

  beforeAll(async () => {
    worker = await startBareWorker(new URL('./testing/zk-kernel-worker.ts', import.meta.url));
  }, 20_000);

  afterAll(() => worker?.stop());

  it('commits as in Node', async () => {
    const random = seededRandom(11);
    for (const bytes of [0, 1, 1024, 5000, 300 * 1024]) {
      const [blindKey, shard] = [random(32), random(bytes)];
      const body = new Uint8Array(concatBytes(blindKey, shard));
      const answer = await fetch(new URL('/', worker?.url), { method: 'POST', body });
      expect(answer.status).toBe(200);
      const commitments = new Uint8Array(await answer.arrayBuffer());
      expect(toHex(commitments)).toBe(toHex(commitLeaves(loadNodeZkKernel(), blindKey, shard, 0)));
    }
  });
});
