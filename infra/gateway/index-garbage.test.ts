/** Whatever lies in the index, reading it gives what was stored or `IndexUnavailable`: never a crash, never a guess. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keys } from '#shared/index/keys.ts';
import type { FileRecord } from '#shared/index/ports.ts';
import { MAX_STRAYS } from '#shared/index/redis-file-index.ts';
import { createIndex, type Index } from '#shared/index/redis-index.ts';
import { MAX_RECEIPT_BATCHES } from '#shared/index/redis-receipts.ts';
import { cidTag, ownerCidTag } from '#shared/index/tags.ts';
import type { FileNumber, Hotkey, MinerNumber } from '#shared/primitives/ids.ts';
import { newFile, newSlot, storeFile } from '#shared/testing/index-files.ts';
import { type OpenIndex, openIndex } from './testing/open-index.ts';

let world: OpenIndex;
let index: Index;
let file: FileRecord;
beforeAll(async () => {
  world = await openIndex();
  index = world.connect();
});
afterAll(() => world?.close());

const raw = (name: string, ...args: string[]) =>
  world.engine.run([{ name, args: args.map((arg) => Buffer.from(arg)) }], false);

const UNAVAILABLE = { name: 'IndexUnavailable' };
const hotkey = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY' as Hotkey;
const hash = new Uint8Array(32).fill(1);

/** Every read, and the key that it depends on. */
const READS: readonly (readonly [string, () => string, () => Promise<unknown>])[] = [
  ['readFile', () => keys.live(file.number), () => index.files.readFile(file.number)],
  ['findFile', () => keys.live(file.number), () => index.files.findFile(file.cid)],
  ['findByName', () => keys.live(file.number), () => index.files.findByName(file.owner, 'n')],
  ['listFiles', () => keys.live(file.number), () => index.files.listFiles(file.owner, undefined, 5)],
  ['readAnyFile', () => keys.live(file.number), () => index.files.readAnyFile(file.number)],
  ['readSegments', () => keys.live(file.number), () => index.files.readSegments(file, 0, 1)],
  ['changeFile', () => keys.live(file.number), () => index.files.changeFile(file, { name: 'x' })],
  ['deleteFile', () => keys.live(file.number), () => index.files.deleteFile(file, 'deleted')],
  ['replaceSlot', () => keys.live(file.number), () => index.files.replaceSlot(file.number, 0, 0, newSlot(), newSlot())],
  ['commitFile', () => keys.live(file.number), () => index.files.commitFile(file)],
  [
    'deletion',
    () => keys.deletion(ownerCidTag(file.owner, file.cid).tag),
    () => index.files.deletion(file.owner, file.cid),
  ],
  ['directory', () => keys.directoryHead, () => index.miners.read()],
  ['findKey', () => keys.apiKey('AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE'), () => index.access.findKey(hash)],
  ['readGrant', () => keys.grant(hotkey), () => index.access.readGrant(hotkey)],
];

describe('garbage where a record belongs', () => {
  it.each(READS)('is not believed: %s', async (_, key, read) => {
    const random = fc.sample(fc.oneof(fc.string({ minLength: 1 }), fc.base64String({ minLength: 1 })), {
      numRuns: 6,
      seed: 5,
    });
    for (const garbage of ['', 'AQ==', '{}', '[1,2]', '\0'.repeat(200), '9 9 x', ...random]) {
      file = await storeFile(index.files, newFile(world.nowMs(), { name: 'n' }));
      await raw('SET', key(), garbage);
      // A grant is any bytes: base64 text is one.
      if (key().startsWith('g:') && /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(garbage))
        continue;
      await expect(read()).rejects.toMatchObject(UNAVAILABLE);
      await raw('DEL', key(), keys.fileLease(file.number), keys.commitLease(ownerCidTag(file.owner, file.cid).tag));
    }
  });
  it.each<[string, () => string, () => Promise<unknown>]>([
    ['counters', () => keys.usage(file.owner), () => index.files.usage(file.owner)],
    ['an owner’s list', () => keys.ownerPage(file.owner, 0), () => index.files.listFiles(file.owner, undefined, 5)],
    ['a bucket', () => keys.cidBucket(cidTag(file.cid).bucket), () => index.files.findFile(file.cid)],
    ['uploads', () => keys.uploads, () => index.files.beginUpload({ ...file, expiresAtMs: 5 })],
    ['strays', () => keys.strays, () => index.files.takeStrays(5)],
    ['the identity', () => keys.identity, () => index.files.identity()],
  ])('of another type is not believed: %s', async (_, key, read) => {
    file = await storeFile(index.files, newFile(world.nowMs()));
    await raw('DEL', key());
    await raw('RPUSH', key(), 'x');
    await expect(read()).rejects.toMatchObject(UNAVAILABLE);
    await raw('DEL', key());
  });
  it('in a list leads nowhere: members whose file is another', async () => {
    file = await storeFile(index.files, newFile(world.nowMs()));
    const stranger = newFile(world.nowMs());
    const { tag, bucket } = cidTag(stranger.cid);
    await raw(
      'ZADD',
      keys.cidBucket(bucket),
      '0',
      `${tag}${file.number.toString(36).padStart(8, '0')}`,
      '0',
      `${tag}!`,
    );
    expect(await index.files.findFile(stranger.cid)).toBeUndefined();
  });
});

describe('answers that are none', () => {
  it.each([
    ['not JSON', 200, 'hello'],
    ['an object', 200, '{}'],
    ['an empty list', 200, '[]'],
    ['too few replies', 200, '[{"result":[1]}]'],
    ['too many replies', 200, '[{"result":1},{"result":1},{"result":1},{"result":1},{"result":1}]'],
    ['numbers where text belongs', 200, '[{"result":1},{"result":1}]'],
    ['null', 200, 'null'],
    ['an error page', 502, '<html>'],
    ['a refusal', 400, '{"error":"ERR secret-argument"}'],
  ])('make every call fail alike: %s', async (_, status, body) => {
    const server = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(status).end(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { files, miners, access } = createIndex({ url: `http://127.0.0.1:${port}`, token: 't' });
    const asked = newFile(0);
    for (const call of [
      () => files.findFile(asked.cid),
      () => files.readFile(asked.number),
      () => files.usage(asked.owner),
      () => files.changeFile(asked, {}),
      () => files.deleteFile(asked, 'deleted'),
      () => files.identity(),
      () => miners.read(),
      () => access.claimNonce('a', 'b', 5),
    ]) {
      const failure = await call().then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).toMatchObject(UNAVAILABLE);
      expect(String((failure as Error).message)).not.toContain('secret');
    }
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  it('or no index at all', async () => {
    const { files } = createIndex({ url: 'http://127.0.0.1:1', token: 't' });
    await expect(files.identity()).rejects.toMatchObject(UNAVAILABLE);
  });
});

describe('lists that nobody empties', () => {
  it.each([
    [
      'strays',
      keys.strays,
      MAX_STRAYS,
      () => index.files.addStrays([{ miner: 1 as MinerNumber, anchorId: hash, ref: 1n }]),
    ],
    [
      'receipts',
      keys.receipts,
      MAX_RECEIPT_BATCHES,
      () => index.files.addReceipts({ file: 1 as FileNumber, segment: 0, receipts: [hash] }),
    ],
  ])('keep the newest entries up to their bound: %s', async (_, key, max, add) => {
    await raw('DEL', key);
    for (let i = 0; i < max; i += 2_000) await raw('RPUSH', key, ...Array.from({ length: 2_000 }, () => 'old'));
    await add();
    const [length, first] = await world.engine.run(
      [
        { name: 'LLEN', args: [Buffer.from(key)] },
        { name: 'LRANGE', args: [key, '-1', '-1'].map((text) => Buffer.from(text)) },
      ],
      false,
    );
    expect(length).toBe(max);
    expect(String(Buffer.from((first as Uint8Array[])[0] ?? []))).not.toBe('old');
    await raw('DEL', key);
  });
});
