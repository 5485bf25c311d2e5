import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileRecord, ShardSlot } from '#shared/index/ports.ts';
import { receiptIn } from '#shared/ledger/entries.ts';
import { logEntries } from '#shared/ledger/node-log-files.ts';
import { systemClock, systemRandom } from '#shared/primitives/effects.ts';
import { type AnchorId, type Cid, type FileNumber, newFileId, newOwnerId, refOf } from '#shared/primitives/ids.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import { signStatement } from '#shared/proof/statement.ts';
import { encodeStore, type StoreStatement } from '#shared/proof/store-receipt.ts';
import { MemoryIndex } from '#shared/testing/memory-index.ts';
import { AuditWorld, NETWORK, sr25519, VALIDATOR, type WorldMiner } from '#validator/testing/audit-world.ts';
import { namedShards } from '../domain/slot-anchors.ts';
import { oweListed } from './owe-named.ts';
import { type ReceiptPorts, takeReceipts } from './take-receipts.ts';

const signal = new AbortController().signal;
const EDGE = sr25519.signerFromSeed(new Uint8Array(32).fill(90));

let world: AuditWorld;
let index: MemoryIndex;
let ports: ReceiptPorts;
beforeEach(async () => {
  world = await AuditWorld.open(3);
  index = new MemoryIndex(systemClock);
  ports = portsOf();
});
afterEach(() => world.remove());

function portsOf(changes: Partial<ReceiptPorts> = {}): ReceiptPorts {
  const { signer, network, clock, log, database, inventories, ledger, verify } = world.ports;
  return {
    ...{ files: index, directory: index, signer, network, clock, log, database, inventories, ledger, verify },
    receipts: world.receipts,
    edges: async () => [EDGE.hotkey],
    ...changes,
  };
}

/** An upload whose shards lie on the miners; its receipts are in the index's list. */
async function upload(
  change: (store: StoreStatement, i: number) => StoreStatement = (store) => store,
  signer?: Signer,
) {
  const nowMs = world.nowMs;
  const fileId = newFileId(systemRandom);
  const owner = newOwnerId(systemRandom);
  const number = await index.beginUpload({ owner, fileId, expiresAtMs: nowMs + 3_600_000 });
  const numbers = await index.numberOf(world.miners.map(({ hotkey }) => hotkey));
  const slots = world.miners.map(({ hotkey }): ShardSlot => {
    return { root: systemRandom(32), miner: numbers.get(hotkey) as never, placement: 0, state: 'stored' };
  });
  const file: FileRecord = {
    ...{ number, fileId, owner, cid: `cid-${fileId}` as Cid, bytes: 9000, k: 1, n: 3, segmentBytes: 9000, segments: 1 },
    ...{ codingId: new Uint8Array(16), maskEpoch: 0, createdAtMs: nowMs, expiresAtMs: 0 },
  };
  const record = { hash: new Uint8Array(32), slots };
  await index.stageSegment(number, 0, record);
  const shards = namedShards(file, 0, record);
  const receipts = shards.map(({ anchorId, bytes }, i) => {
    const miner = world.miners[i] as WorldMiner;
    const store: StoreStatement = {
      ...{ miner: miner.hotkey, tenant: VALIDATOR.hotkey, caller: EDGE.hotkey, order: '00'.repeat(16) as never },
      ...{ anchorId, bytes, seq: i, storedAtMs: 1, holdUntilMs: 2 },
    };
    return signStatement(signer ?? miner.prover.signer, encodeStore(NETWORK, change(store, i)));
  });
  await index.addReceipts({ file: number, segment: 0, receipts });
  return { file, shards, commit: () => index.commitFile(file) };
}

const owedShards = () => world.miners.map(({ hotkey }) => world.ports.inventories.head(hotkey).shards);

async function keptReceipts(): Promise<number> {
  let kept = 0;
  for await (const { payload } of logEntries(join(world.folder, 'ledger'), 'receipts')) {
    if (receiptIn(payload).length > 64) kept++;
  }
  return kept;
}

describe('receipts', () => {
  it('wait for their file, and then its shards are owed', async () => {
    const { commit, shards, file } = await upload();
    expect(await takeReceipts(ports, signal)).toEqual({ read: 3, refused: 0, owed: 0, waiting: 3 });
    expect(owedShards()).toEqual([0, 0, 0]);
    expect(await keptReceipts()).toBe(3);
    await commit();
    world.nowMs += 5000;
    expect(await takeReceipts(ports, signal)).toEqual({ read: 0, refused: 0, owed: 3, waiting: 0 });
    const { anchorId } = shards[1] as (typeof shards)[number];
    const { hotkey } = world.miners[1] as WorldMiner;
    expect(world.ports.inventories.find(hotkey, anchorId)).toMatchObject({
      anchorType: 1,
      bytes: 9000,
      place: { file: file.number, segment: 0, shardIndex: 1, placement: 0 },
    });
  });

  it('of an upload that was given up are forgotten', async () => {
    const { file } = await upload();
    await takeReceipts(ports, signal);
    await index.abandonUpload(file.number);
    world.nowMs += 5000;
    expect(await takeReceipts(ports, signal)).toMatchObject({ owed: 0, waiting: 0 });
    expect(owedShards()).toEqual([0, 0, 0]);
  });

  it.each([
    { id: 'of another tenant', change: (store: StoreStatement) => ({ ...store, tenant: EDGE.hotkey }) },
    { id: 'for a caller that has no grant', change: (store: StoreStatement) => ({ ...store, caller: store.miner }) },
    { id: 'signed by another', change: (store: StoreStatement) => store, signer: EDGE },
  ])('$id are refused and not kept', async ({ change, signer }) => {
    const { commit } = await upload(change, signer);
    await commit();
    expect(await takeReceipts(ports, signal)).toEqual({ read: 0, refused: 3, owed: 0, waiting: 0 });
    expect(await keptReceipts()).toBe(0);
    expect((await index.readReceipts(10)).entries).toBe(0);
  });

  it('for a shard that the manifest names elsewhere make nobody owe it', async () => {
    const other = 'ab'.repeat(32) as AnchorId;
    const { commit } = await upload((store, i) => (i === 0 ? { ...store, anchorId: other } : store));
    await commit();
    await takeReceipts(ports, signal);
    expect(owedShards()).toEqual([0, 1, 1]);
  });

  it.each(['keepReceipts', 'forgetReceipts', 'uploadOpen'])(
    'survive a crash at %s: nothing lost, nothing twice',
    async (step) => {
      const { commit } = await upload();
      await commit();
      const crash = () => Promise.reject(new Error('crash'));
      const files = new Proxy(index, {
        get: (target, name) => (name === step ? crash : Reflect.get(target, name).bind?.(target)),
      });
      const ledger = step === 'keepReceipts' ? { keepReceipts: crash } : world.ports.ledger;
      await expect(takeReceipts(portsOf({ files, ledger }), signal)).rejects.toThrow('crash');
      await world.restart();
      ports = portsOf();
      await takeReceipts(ports, signal);
      expect(owedShards()).toEqual([1, 1, 1]);
      expect(ports.receipts.count()).toBe(0);
    },
  );
});

describe('what lost its receipt', () => {
  it('is owed once the miner lists it and the manifest names it there', async () => {
    const { commit, shards, file } = await upload();
    await commit();
    await index.forgetReceipts(10);
    const { hotkey } = world.miners[0] as WorldMiner;
    const miner = (await index.numberOf([hotkey])).get(hotkey) as never;
    const held = shards.map(({ anchorId }) => ({ anchorId, ref: refOf(file.number, 0) }));
    const foreign = { anchorId: 'cd'.repeat(32) as AnchorId, ref: refOf(7777 as FileNumber, 3) };
    const both = { files: index, inventories: world.ports.inventories };
    expect(await oweListed(both, miner, hotkey, [...held, foreign])).toBe(1);
    expect(await oweListed(both, miner, hotkey, held)).toBe(0);
    expect(owedShards()).toEqual([1, 0, 0]);
  });

  it('is left to its receipts while the upload is open', async () => {
    const { shards, file } = await upload();
    const { hotkey } = world.miners[0] as WorldMiner;
    const miner = (await index.numberOf([hotkey])).get(hotkey) as never;
    const held = shards.map(({ anchorId }) => ({ anchorId, ref: refOf(file.number, 0) }));
    expect(await oweListed({ files: index, inventories: world.ports.inventories }, miner, hotkey, held)).toBe(0);
  });
});
