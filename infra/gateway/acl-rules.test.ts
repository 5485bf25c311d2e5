/** The printed rules against a real Redis: an edge works under them, and can do nothing that is the tenant's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EDGE_WRITABLE_FAMILIES, familyOf } from '#shared/index/keys.ts';
import { createIndex, type Index } from '#shared/index/redis-index.ts';
import { silentLog, systemRandom } from '#shared/primitives/effects.ts';
import { type FileNumber, hotkeyOf, type MinerNumber } from '#shared/primitives/ids.ts';
import { newFile, storeFile } from '#shared/testing/index-files.ts';
import { minerKey, newDetail, newMinerNow, newNow, newSnapshot } from '#shared/testing/network-rows.ts';
import { edgeAclRules, edgeAclRulesWithoutReadOnly } from './acl-rules.ts';
import { type Command, type Engine, isError, type Reply } from './engine.ts';
import { openGateway } from './gateway.ts';
import { openRespEngine } from './resp-engine.ts';
import { findRedisServer, startRedisForTest } from './testing/redis-for-tests.ts';

const program = findRedisServer();
const edge = hotkeyOf(new Uint8Array(32).fill(1));
const other = hotkeyOf(new Uint8Array(32).fill(2));
const TOKEN = 'token-of-a-test-of-rules';

const command = (text: string): Command => {
  const [name = '', ...args] = text.split(' ');
  return { name, args: args.map((arg) => Buffer.from(arg)) };
};

describe('the rules', () => {
  it('name every family that an edge may write, each once, and no other', () => {
    const written = edgeAclRules().filter((rule) => rule.startsWith('~'));
    expect(written.map((rule) => familyOf(rule.slice(1))).sort()).toEqual([...EDGE_WRITABLE_FAMILIES].sort());
    expect(new Set(written).size).toBe(written.length);
  });
  it('name no category and nothing that could do without a key', () => {
    for (const rule of [...edgeAclRules(), ...edgeAclRulesWithoutReadOnly(edge)]) {
      expect(rule).not.toMatch(/@|^all|^~\*|^\+(flush|keys|scan|eval|config|acl)/);
    }
  });
});

const variants = [
  { id: 'with read-only keys', rules: edgeAclRules(), strict: true },
  { id: 'without read-only keys', rules: edgeAclRulesWithoutReadOnly(edge), strict: false },
];

describe.skipIf(!program).each(variants)('an edge of a real Redis under the rules $id', ({ rules, strict }) => {
  const opened: (() => Promise<void>)[] = [];
  let admin: Engine;
  let raw: Engine;
  let tenant: Index;
  let index: Index;
  beforeAll(async () => {
    const redis = await startRedisForTest(program ?? '');
    opened.push(() => redis.stop());
    admin = openRespEngine(redis.url);
    const [answer] = await admin.run([command(['ACL SETUSER edge', ...rules, '>secret'].join(' '))], false);
    expect(answer).toEqual({ status: 'OK' });
    const url = new URL(redis.url);
    raw = openRespEngine(`redis://edge:secret@${url.host}`);
    const open = async (engine: Engine) => {
      const gateway = await openGateway({ engine, tokens: { tenant: TOKEN }, log: silentLog, port: 0 });
      opened.unshift(
        () => gateway.close(),
        () => engine.close(),
      );
      return createIndex({ url: gateway.url, token: TOKEN });
    };
    tenant = await open(admin);
    index = await open(raw);
  });
  afterAll(async () => {
    for (const close of opened) await close();
  });
  const refused = async (text: string): Promise<Reply> => (await raw.run([command(text)], false))[0] ?? null;

  it('stores, finds, changes, deletes, keeps keys and receipts', async () => {
    await tenant.access.writeGrant(edge, Uint8Array.of(7));
    await tenant.files.identity();
    const miner = {
      ...{ number: 1 as MinerNumber, hotkey: other, coldkey: other, address: { ip: '9.9.9.9', port: 1 } },
      ...{ freeBytes: 1, capacityBytes: 1, accepting: true },
    };
    await tenant.miners.publish({ takenAtMs: 5, miners: [miner] });

    const nowMs = Date.now();
    const { files, access, miners } = index;
    const shape = { name: 'a.txt', segments: 3, segmentBytes: 4096, bytes: 3 * 4096 - 1 };
    const file = await storeFile(files, newFile(nowMs, { ...shape, expiresAtMs: nowMs + 3_600_000 }));
    expect(await files.findFile(file.cid, file.owner)).toEqual(file);
    expect(await files.findByName(file.owner, 'a.txt')).toEqual(file);
    expect((await files.listFiles(file.owner, undefined, 10)).items).toEqual([file]);
    expect(await files.readSegments(file, 0, 3)).toHaveLength(3);
    expect(await files.changeFile(file, { expiresAtMs: nowMs + 7_200_000, name: 'b.txt' })).toMatchObject({
      name: 'b.txt',
    });
    const now = await files.findFile(file.cid, file.owner);
    expect(now && (await files.deleteFile(now, 'deleted'))).toBe(true);
    expect(await files.deletion(file.owner, file.cid)).toMatchObject({ dropped: 0 });
    expect((await files.usage(file.owner)).files).toBe(0);
    await files.abandonUpload(
      await files.beginUpload({ owner: file.owner, fileId: file.fileId, expiresAtMs: nowMs + 1 }),
    );
    await files.addStrays([{ miner: 1 as MinerNumber, anchorId: systemRandom(32), ref: 1n }]);
    await files.addReceipts({ file: 1 as FileNumber, segment: 0, receipts: [systemRandom(200)] });
    expect(await files.claimMaskCheck(0, systemRandom(16))).toBe(true);
    await files.identity();

    const hash = systemRandom(32);
    await access.addKey({ keyId: 'k', owner: file.owner, label: '', createdAtMs: 1 }, hash);
    expect(await access.findKey(hash)).toMatchObject({ keyId: 'k' });
    expect(await access.listKeys(file.owner)).toHaveLength(1);
    expect(await access.revokeKey(file.owner, 'k')).toBe(true);
    expect(await access.claimNonce('a', 'b', 1000)).toBe(true);
    expect(await access.readGrant(edge)).toEqual(Uint8Array.of(7));
    expect((await miners.read()).miners).toEqual([miner]);

    await tenant.history.append(newSnapshot(nowMs, 3), 3_600_000);
    await tenant.history.publishNow(newNow(nowMs, 3), [newMinerNow(1)]);
    await tenant.history.publishDetails([newDetail(nowMs, 1)], 3_600_000);
    const span = { fromMs: 0, toMs: nowMs, offset: 0, limit: 10 };
    expect(await index.history.minerRows(span)).toHaveLength(3);
    expect(await index.history.minerRows(span, minerKey(2))).toHaveLength(1);
    expect(await index.history.tierRows(span)).toHaveLength(2);
    expect((await index.history.minersNow()).miners).toEqual([newMinerNow(1)]);
    expect(await index.history.minerDetail(minerKey(1))).toEqual(newDetail(nowMs, 1));
  });

  const never = [
    'FLUSHALL',
    'FLUSHDB',
    'KEYS *',
    'SCAN 0',
    'EVAL return(1) 0',
    'CONFIG GET *',
    'ACL LIST',
    'INFO',
    'DEBUG SLEEP 0',
    'SHUTDOWN NOSAVE',
    'SWAPDB 0 1',
    'SUBSCRIBE a',
    `SET g:${other} 1`,
    'SET mc 1',
    'HSET mn a 1',
    'SET dv 1',
    'SET something-new 1',
    'RENAME f:1 something-new',
    'DEL mn',
  ];
  it.each(never)('may not %s', async (text) => {
    expect(isError(await refused(text))).toBe(true);
  });

  const tenants = [
    ...[`SET g:${edge} 1`, `DEL g:${edge}`, 'HSET id epoch 9', 'SET dh 1', 'DEL dp:0:0'],
    ...['SET hn 1', 'ZADD hs 1 a', 'DEL hd:a', 'HSET hm:a:0 a 1', 'SET hg:0 1', 'SET hp:0:0 1', 'DEL hq:0:0'],
  ];
  if (strict) it.each(tenants)('may not %s', async (text) => expect(isError(await refused(text))).toBe(true));
});
