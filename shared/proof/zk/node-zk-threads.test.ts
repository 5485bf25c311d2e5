import { afterAll, describe, expect, it } from 'vitest';
import { toHex } from '#shared/primitives/bytes.ts';
import { loadNodeZkKernel } from './node-zk-kernel.ts';
import { startZkThreads } from './node-zk-threads.ts';
import { seededRandom } from './testing/zk-world.ts';
import { commitLeaves } from './zk-anchor.ts';

describe('commitments in threads', () => {
  const random = seededRandom(13);
  const threads = startZkThreads(2);
  afterAll(() => threads.close());

  it('are those of one thread, for several shards at once, and every leaf is reported', async () => {
    const blindKey = random(32);
    const shards = [0, 1, 128 * 1024, 128 * 1024 + 1, 200 * 1024 - 7].map((bytes) => random(bytes));
    let leaves = 0;
    const made = await Promise.all(
      shards.map((shard) =>
        threads.commit(blindKey, shard, (some) => {
          leaves += some;
        }),
      ),
    );
    expect(made.map(toHex)).toEqual(shards.map((shard) => toHex(commitLeaves(loadNodeZkKernel(), blindKey, shard, 0))));
    expect(leaves).toBe(1 + 1 + 128 + 129 + 200);
  });

  it('fail as a whole when a thread falls, and when they are closed', async () => {
    const own = startZkThreads(1);
    // A blind key of the wrong length throws in the thread.
    await expect(own.commit(new Uint8Array(3), random(2000))).rejects.toThrow('expected 32 bytes');
    // A fallen thread is replaced.
    expect(await own.commit(new Uint8Array(32), random(2000))).toHaveLength(64);
    const cut = own.commit(new Uint8Array(32), random(500 * 1024));
    const refused = expect(cut).rejects.toThrow('commitment thread');
    await own.close();
    await refused;
    await expect(own.commit(new Uint8Array(32), random(10))).rejects.toThrow('closed');
  });
});
