/**
 * Miners and tenants for tests of the validator's flows: every miner keeps each tenant's shards apart, as a real one
 * does; each tenant has an index of its own. No bytes are stored: a shard is its anchor.
 */
import type { FileRecord, SegmentRecord, ShardSlot } from '#shared/index/ports.ts';
import { type Clock, silentLog } from '#shared/primitives/effects.ts';
import { fail, succeed } from '#shared/primitives/failure.ts';
import {
  type AnchorId,
  type Cid,
  type FileId,
  type FileNumber,
  hotkeyOf,
  type MinerNumber,
  type OwnerId,
  refOf,
} from '#shared/primitives/ids.ts';
import { MemoryIndex } from '#shared/testing/memory-index.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import type { MinerClient, MinerFailure, MinerPeer, ShardListing } from '#shared/wire/ports.ts';
import { namedShards } from '../domain/slot-anchors.ts';
import type { IndexMark, TenantPorts } from '../ports.ts';
import { openMemoryDatabase } from '../state/database.ts';
import { createInventories } from '../state/inventories.ts';
import { OWED_SCHEMA } from '../state/owed-rows.ts';

export const sr25519 = await loadSr25519();
export const OWNER = '11'.repeat(32) as OwnerId;
const SEGMENT_BYTES = 100;

export class TestClock implements Clock {
  ms = 1_000_000;
  nowMs(): number {
    return this.ms;
  }
  sleep(): Promise<void> {
    return Promise.resolve();
  }
}

/** One miner; `shards` is what it holds for each tenant. */
export class TestMiner {
  readonly peer: MinerPeer;
  readonly coldkey: string;
  readonly shards = new Map<string, Map<AnchorId, ShardListing>>();
  fault: 'none' | 'dead' | 'lies-about-address' = 'none';
  freeBytes = 1e9;
  draining = false;

  constructor(number: number) {
    this.peer = { hotkey: hotkeyOf(new Uint8Array(32).fill(number)), url: `http://127.0.0.1:${9000 + number}` };
    this.coldkey = hotkeyOf(new Uint8Array(32).fill(100 + number));
  }

  of(tenant: string): Map<AnchorId, ShardListing> {
    const mine = this.shards.get(tenant) ?? new Map<AnchorId, ShardListing>();
    this.shards.set(tenant, mine);
    return mine;
  }
}

/** One tenant over shared miners. */
export class TestTenant {
  readonly index: MemoryIndex;
  readonly ports: TenantPorts;
  readonly miners: readonly TestMiner[];
  /** Taken off, a miner is deregistered. */
  registered: readonly TestMiner[];
  mark: IndexMark | undefined;
  readonly events: string[] = [];
  #files = 0;

  constructor(name: number, miners: readonly TestMiner[], clock: Clock) {
    this.miners = miners;
    this.registered = miners;
    this.index = new MemoryIndex(clock);
    const signer = sr25519.signerFromSeed(new Uint8Array(32).fill(name));
    const note = (event: string) => this.events.push(event);
    this.ports = {
      files: this.index,
      directory: this.index,
      access: this.index,
      miners: clientOf(miners, signer.hotkey),
      registrations: {
        read: async () =>
          this.registered.map(({ peer, coldkey }) => {
            const port = Number(new URL(peer.url).port);
            return { hotkey: peer.hotkey, coldkey, address: { ip: '127.0.0.1', port } };
          }),
      },
      indexMarks: {
        read: async () => this.mark,
        write: async (mark) => {
          this.mark = mark;
        },
      },
      inventories: createInventories(openMemoryDatabase([OWED_SCHEMA])),
      minerUrl: ({ ip, port }) => `http://${ip}:${port}`,
      signer,
      network: { genesis: new Uint8Array(32), netuid: 21 },
      clock,
      log: { ...silentLog, info: note, warn: note, error: note },
    };
  }

  async numbers(): Promise<readonly MinerNumber[]> {
    const hotkeys = this.miners.map((miner) => miner.peer.hotkey);
    const numbers = await this.index.numberOf(hotkeys);
    return hotkeys.map((hotkey) => numbers.get(hotkey) as MinerNumber);
  }

  /** A committed file of so many segments; shard i of a segment lies on miner i, held by it and named by the index. */
  async storeFile(segments: number, options: { expiresAtMs?: number } = {}): Promise<FileRecord> {
    const { index, ports } = this;
    const nowMs = ports.clock.nowMs();
    const fileId = `${(this.#files++).toString(16).padStart(32, '0')}` as FileId;
    const number = await index.beginUpload({ owner: OWNER, fileId, expiresAtMs: nowMs + 1000 });
    const numbers = await this.numbers();
    const file: FileRecord = {
      number,
      fileId,
      owner: OWNER,
      cid: `cid-${fileId}` as Cid,
      bytes: segments * SEGMENT_BYTES,
      k: 2,
      n: numbers.length,
      segmentBytes: SEGMENT_BYTES,
      segments,
      codingId: new Uint8Array(16),
      maskEpoch: 0,
      createdAtMs: nowMs,
      expiresAtMs: options.expiresAtMs ?? 0,
    };
    for (let segment = 0; segment < segments; segment++) {
      const slots = numbers.map((miner): ShardSlot => ({ root: randomRoot(), miner, placement: 0, state: 'stored' }));
      const record: SegmentRecord = { hash: new Uint8Array(32), slots };
      await index.stageSegment(number, segment, record);
      namedShards(file, segment, record).forEach((shard, at) => {
        this.hold(this.miners[at] as TestMiner, shard.anchorId, number, segment, nowMs);
      });
    }
    await index.commitFile(file);
    return file;
  }

  /** Has a miner hold a shard for this tenant, whatever the index says about it. */
  hold(miner: TestMiner, anchorId: AnchorId, file: FileNumber, segment: number, holdUntilMs: number): void {
    const label = new Uint8Array(0);
    const listing = { anchorId, bytes: 50, ref: refOf(file, segment), holdUntilMs, label, state: 'held' as const };
    miner.of(this.ports.signer.hotkey).set(anchorId, listing);
  }

  heldBy(miner: TestMiner): readonly AnchorId[] {
    return [...miner.of(this.ports.signer.hotkey).keys()];
  }
  /** Shards held on all miners. */
  get held(): number {
    return this.miners.reduce((sum, miner) => sum + this.heldBy(miner).length, 0);
  }
}

export const randomRoot = (): Uint8Array => crypto.getRandomValues(new Uint8Array(32));

export const makeMiners = (count: number): readonly TestMiner[] =>
  Array.from({ length: count }, (_, index) => new TestMiner(index + 1));

function clientOf(miners: readonly TestMiner[], tenant: string): MinerClient {
  const reach = (peer: MinerPeer): TestMiner | MinerFailure => {
    const miner = miners.find((candidate) => candidate.peer.url === peer.url);
    if (miner && miner.fault !== 'dead') return miner;
    return { code: 'unreachable', fault: 'peer', message: 'no connection', miner: peer.hotkey };
  };
  const never = () => {
    throw new Error('the validator does not store or read yet');
  };
  return {
    openStream: never,
    putShard: never,
    readReceipt: never,
    readShards: never,
    headShard: never,
    challenge: never,
    async health(peer) {
      const miner = reach(peer);
      if (!(miner instanceof TestMiner)) return fail(miner);
      const { freeBytes, draining } = miner;
      return succeed({
        hotkey: peer.hotkey,
        version: '1',
        role: 'miner',
        freeBytes,
        capacityBytes: 1e9,
        shards: 0,
        draining,
      });
    },
    async hello(peer) {
      const miner = reach(peer);
      if (!(miner instanceof TestMiner)) return fail(miner);
      if (miner.fault !== 'lies-about-address') return succeed(undefined);
      return fail({ code: 'broken', fault: 'peer', message: 'another address', miner: peer.hotkey });
    },
    async listShards(peer, cursor, limit) {
      const miner = reach(peer);
      if (!(miner instanceof TestMiner)) return fail(miner);
      const all = [...miner.of(tenant).values()];
      const from = Number(cursor ?? 0);
      const items = all.slice(from, from + limit);
      return succeed(from + limit < all.length ? { items, next: String(from + limit) } : { items });
    },
    async drop(peer, anchors) {
      const miner = reach(peer);
      if (!(miner instanceof TestMiner)) return fail(miner);
      const mine = miner.of(tenant);
      return succeed(anchors.map((anchorId) => ({ anchorId, state: mine.delete(anchorId) ? 'held' : 'absent' })));
    },
  };
}
