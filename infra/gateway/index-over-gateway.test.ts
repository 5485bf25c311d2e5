/** The index adapters pass the suite over the gateway, with the embedded engine and with a real Redis behind it. */
import { describe, expect, it } from 'vitest';
import { newFile, newOwner, storeFile } from '#shared/testing/index-files.ts';
import { describeIndex } from '#shared/testing/index-suite.ts';
import { openIndex } from './testing/open-index.ts';
import { findRedisServer } from './testing/redis-for-tests.ts';

describeIndex('the index over the embedded engine', () => openIndex());

const redis = findRedisServer();
if (redis) {
  describeIndex('the index over redis-server', () => openIndex({ redis }));
  it('leaves no key of a file that was stored, renamed, deleted and settled, but what is bounded or ends by itself', async () => {
    const world = await openIndex({ redis });
    const { files } = world.connect();
    const owner = newOwner();
    const stored = [];
    for (let i = 0; i < 5; i++) {
      const large = {
        bytes: 500,
        segmentBytes: 10,
        segments: 50,
        n: 40,
        name: 'n',
        expiresAtMs: world.nowMs() + 3600_000,
      };
      stored.push(await storeFile(files, newFile(world.nowMs(), { owner, ...(i % 2 ? large : { name: 'm' }) })));
    }
    for (const file of stored) {
      await files.changeFile(file, { name: 'other', expiresAtMs: world.nowMs() + 7200_000 });
      await files.deleteFile(file, 'deleted');
      await files.settleTombstone(file.number);
    }
    const [all] = await world.engine.run([{ name: 'KEYS', args: [Buffer.from('*')] }], false);
    const names = (all as Uint8Array[]).map((name) => String(Buffer.from(name)));
    const lasting: string[] = [];
    for (const name of names) {
      const [ttl] = await world.engine.run([{ name: 'PTTL', args: [Buffer.from(name)] }], false);
      if (ttl === -1) lasting.push(name.split(':')[0] ?? '');
    }
    // Next number, expiry cursor, the owner's counters.
    expect(lasting.toSorted()).toEqual(['ec', 'n', 'u']);
    await world.close();
  });
} else {
  describe('the index over redis-server', () => it.skip('SKIPPED: no redis-server on PATH or in FILETAO_REDIS_SERVER'));
}
