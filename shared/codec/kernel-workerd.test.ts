import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '#shared/primitives/bytes.ts';
import { loadNodeKernel } from './node-kernel.ts';
import { type BareWorker, startBareWorker } from './testing/start-bare-worker.ts';

const vectors: {
  readonly coding: readonly {
    readonly k: number;
    readonly n: number;
    readonly segmentBytes: number;
    readonly shardBytes: number;
    readonly shardSha256: readonly string[];
  }[];
} = JSON.parse(readFileSync(new URL('../../test/vectors/coding-v1.json', import.meta.url), 'utf8'));

const sample = (bytes: number) => Uint8Array.from({ length: bytes }, (_, i) => i * 131 + (i >> 8));

describe('in workerd the kernel', () => {
  let worker: BareWorker | undefined;

  beforeAll(async () => {
    worker = await startBareWorker(new URL('./testing/kernel-worker.ts', import.meta.url));
  }, 20_000);

  afterAll(() => worker?.stop());

  async function ask(path: string, body: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const answer = await fetch(new URL(path, worker?.url), { method: 'POST', body });
    expect(answer.status).toBe(200);
    return new Uint8Array(await answer.arrayBuffer());
  }

  it('makes and rebuilds the shards of all known answers', async () => {
    for (const { k, n, segmentBytes, shardBytes, shardSha256 } of vectors.coding) {
      const shards = await ask(`/shards?k=${k}&n=${n}`, sample(segmentBytes));
      const hashes = Array.from({ length: 2 * n }, (_, i) =>
        createHash('sha256')
          .update(shards.subarray(i * shardBytes, (i + 1) * shardBytes))
          .digest('hex'),
      );
      expect(hashes, `(${k}, ${n}) of ${segmentBytes} bytes`).toEqual([...shardSha256, ...shardSha256]);
    }
  });

  it('hashes leaves as in Node', async () => {
    for (const bytes of [0, 1, 1023, 1024, 1025, 4096, 5000, 100_000]) {
      expect(toHex(await ask('/leaves', sample(bytes)))).toBe(toHex(loadNodeKernel().hashLeaves(sample(bytes))));
    }
  });
});
