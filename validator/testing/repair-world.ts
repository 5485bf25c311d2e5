/**
 * A network under repair, in one process: miners with real shards in memory, files stored by the real engine, an index
 * in memory, and the validator's own database. A test takes miners away and runs the jobs.
 */
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import type { FileRecord, SegmentRecord } from '#shared/index/ports.ts';
import { groupsOf, loopbackGroups } from '#shared/placement/groups.ts';
import { systemClock, systemRandom } from '#shared/primitives/effects.ts';
import {
  type AnchorId,
  type Cid,
  type FileId,
  type Hotkey,
  type MinerNumber,
  newFileId,
  newOrderId,
  type OwnerId,
} from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { loadNodeZkKernel } from '#shared/proof/zk/node-zk-kernel.ts';
import { createFakeMiners, type FakeMiner } from '#shared/testing/fake-miners.ts';
import { MemoryIndex } from '#shared/testing/memory-index.ts';
import { PATIENT_PACE, segmentsOf, testBytes } from '#shared/testing/transfer-world.ts';
import { createBudget } from '#shared/transfer/budget.ts';
import { fetchSegments } from '#shared/transfer/fetch-segments.ts';
import { createLatencies } from '#shared/transfer/latencies.ts';
import type { Peer, TransferPorts } from '#shared/transfer/ports.ts';
import { storeSegments } from '#shared/transfer/store-segments.ts';
import type { PingState } from '../domain/next-ping.ts';
import { namedShards } from '../domain/slot-anchors.ts';
import type { RepairPorts, RepairSettings } from '../flows/repair-ports.ts';
import type { Departure, IndexMark } from '../ports.ts';
import { openMemoryDatabase } from '../state/database.ts';
import { createInventories } from '../state/inventories.ts';
import { OWED_SCHEMA } from '../state/owed-rows.ts';
import { createPings, PINGS_SCHEMA } from '../state/pings.ts';
import { createRepairs, REPAIRS_SCHEMA } from '../state/repairs.ts';

export const SETTINGS: RepairSettings = { delayMs: 1000, retryMs: 100, holdMs: 60_000, atOnce: 3 };
const SEGMENT_BYTES = 16 * 1024;

export class RepairWorld {
  readonly clock = { ms: 1_000_000, nowMs: () => this.clock.ms, sleep: systemClock.sleep };
  readonly index = new MemoryIndex(this.clock);
  readonly database = openMemoryDatabase([OWED_SCHEMA, REPAIRS_SCHEMA, PINGS_SCHEMA]);
  readonly inventories = createInventories(this.database);
  readonly repairs = createRepairs(this.database, () => this.clock.ms);
  readonly pings = createPings(this.database);
  readonly miners: readonly FakeMiner[];
  readonly ports: RepairPorts;
  readonly events: { readonly event: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  readonly secret = systemRandom(32);
  readonly departures: Departure[] = [];
  readonly #bytes = new Map<number, Uint8Array>();
  /** Of files that are re-coded: their numbers change. */
  readonly #byCid = new Map<Cid, Uint8Array>();
  readonly #coldkeys = new Map<Hotkey, string>();
  mark: IndexMark | undefined;

  constructor(miners: number) {
    const kernel = loadNodeKernel();
    const fake = createFakeMiners({ count: miners, kernel });
    this.miners = fake.miners;
    const note = (event: string, fields = {}) => void this.events.push({ event, fields });
    const log = { debug: () => undefined, info: note, warn: note, error: note };
    const transfer: TransferPorts = {
      ...{ kernel, zkKernel: loadNodeZkKernel, miners: fake.client, random: systemRandom, log, sha256 },
      ...{ clock: systemClock, latencies: createLatencies(systemClock), pace: PATIENT_PACE },
    };
    this.ports = {
      files: this.index,
      directory: this.index,
      registrations: { read: async () => this.#registered() },
      departures: { list: () => this.departures },
      indexMarks: {
        read: async () => this.mark,
        write: async (mark) => {
          this.mark = mark;
        },
      },
      minerUrl: ({ port }) => this.miners[port - 9000]?.peer.url,
      ...{ miners: fake.client, clock: this.clock, log, transfer, networkGroups: loopbackGroups },
      budget: createBudget(64 * 2 ** 20),
      bandwidth: { take: async () => undefined },
      ...{ inventories: this.inventories, repairs: this.repairs, pings: this.pings },
      maskSecrets: { of: async () => ({ ok: true, value: this.secret }) },
      transaction: (work) => this.database.transaction(work),
    };
  }

  #registered() {
    return this.miners.map(({ peer: { hotkey } }, i) => ({
      hotkey,
      coldkey: this.#coldkeys.get(hotkey) ?? hotkey,
      address: { ip: '127.0.0.1', port: 9000 + i },
    }));
  }

  /** Miners by their number in the index, as the tenant would publish them. */
  async publish(change: (miner: FakeMiner) => Partial<{ accepting: boolean; freeBytes: number }> = () => ({})) {
    const numbers = await this.index.numberOf(this.miners.map(({ peer }) => peer.hotkey));
    const capacityBytes = 1e9;
    const miners = this.#registered().map((miner, i) => {
      const fake = this.miners[i] as FakeMiner;
      const accepting = fake.fault !== 'dead';
      const number = numbers.get(miner.hotkey) as MinerNumber;
      return { ...miner, number, freeBytes: capacityBytes, capacityBytes, accepting, ...change(fake) };
    });
    await this.index.publish({ takenAtMs: this.clock.ms, miners });
  }

  /** Has these miners belong to one owner. */
  joinOwners(miners: readonly FakeMiner[], coldkey: string): void {
    for (const { peer } of miners) this.#coldkeys.set(peer.hotkey, coldkey);
  }

  /** Stores a file as an edge would, and holds its miners to it. */
  async store(segments: number, shape: { k: number; n: number } = { k: 4, n: 10 }): Promise<FileRecord> {
    await this.publish();
    const bytes = testBytes(segments * SEGMENT_BYTES - 100);
    const fileId = newFileId(systemRandom) as FileId;
    const owner = '11'.repeat(32) as OwnerId;
    const number = await this.index.beginUpload({ owner, fileId, expiresAtMs: this.clock.ms + 1000 });
    const coding = { number, fileId, ...shape, codingId: systemRandom(16), maskEpoch: 0, maskSecret: this.secret };
    const budget = createBudget(24 * 2 ** 20);
    const { signal } = new AbortController();
    const request = { coding, order: newOrderId(systemRandom), holdUntilMs: 1, peers: this.#peers(), budget, signal };
    const keep = async ({ index, record }: { index: number; record: SegmentRecord }) =>
      this.index.stageSegment(number, index, { ...record, slots: [...record.slots] });
    const source = segmentsOf(bytes, SEGMENT_BYTES);
    const outcome = await storeSegments(this.ports.transfer, request, source, keep, () => undefined);
    if (!outcome.ok) throw new Error(outcome.failure.message);
    const { maskSecret: _, ...coded } = coding;
    const file: FileRecord = {
      ...coded,
      ...{ owner, cid: `cid-${fileId}` as Cid, bytes: bytes.length, segmentBytes: SEGMENT_BYTES, segments },
      ...{ createdAtMs: this.clock.ms, expiresAtMs: 0 },
    };
    await this.index.commitFile(file);
    this.#bytes.set(number, bytes);
    this.#byCid.set(file.cid, bytes);
    await this.holdToAll(file);
    return file;
  }

  /** Every shard that the manifest names is owed by its miner. */
  async holdToAll(file: FileRecord): Promise<void> {
    for (const { slot, anchorId, bytes, segment, shardIndex } of await this.shards(file)) {
      if (slot.state !== 'stored') continue;
      const place = { file: file.number, segment, shardIndex, placement: slot.placement };
      this.inventories.add(this.minerOf(slot.miner).peer.hotkey, {
        ...{ anchorId, anchorType: 1, root: slot.root, bytes, place },
      });
    }
  }

  #peers(): readonly Peer[] {
    return this.index.snapshot.miners.map((entry, i) => ({
      ...{ number: entry.number, hotkey: entry.hotkey, url: (this.miners[i] as FakeMiner).peer.url },
      ...{ groups: groupsOf(entry, loopbackGroups), freeBytes: entry.freeBytes, accepting: entry.accepting },
    }));
  }

  minerOf(number: MinerNumber): FakeMiner {
    const at = this.index.snapshot.miners.findIndex((entry) => entry.number === number);
    return this.miners[at] as FakeMiner;
  }

  async shards(file: FileRecord) {
    const records = await this.index.readSegments(file, 0, file.segments);
    return records.flatMap((record, segment) => namedShards(file, segment, record));
  }

  /** Shards of the file that their miners really hold, by segment. */
  async healthy(file: FileRecord): Promise<readonly number[]> {
    const counts = new Array<number>(file.segments).fill(0);
    for (const { slot, anchorId, segment } of await this.shards(file)) {
      const miner = this.minerOf(slot.miner);
      if (slot.state === 'stored' && miner.fault === 'none' && miner.held.has(anchorId))
        counts[segment] = (counts[segment] ?? 0) + 1;
    }
    return counts;
  }

  /** The monitor's word on a miner. */
  ping(miner: FakeMiner, state: PingState): void {
    const { ms } = this.clock;
    const standing = { hotkey: miner.peer.hotkey, state, failures: 0, strikes: 0, sinceMs: ms, lastAnswerMs: ms };
    this.pings.write(standing);
  }

  /** A miner dies, and the monitor has seen it. */
  async kill(...miners: readonly FakeMiner[]): Promise<void> {
    for (const miner of miners) {
      miner.fault = 'dead';
      this.ping(miner, 'down');
    }
    await this.publish();
  }

  async readBack(file: FileRecord): Promise<boolean> {
    const peers = new Map(this.#peers().map((peer) => [peer.number, peer]));
    const coding = { ...file, maskSecret: this.secret };
    const request = { coding, peers, budget: createBudget(24 * 2 ** 20), signal: new AbortController().signal };
    const records = await this.index.readSegments(file, 0, file.segments);
    const segments = records.map((record, index) => ({
      ...{ index, record, bytes: Math.min(SEGMENT_BYTES, file.bytes - index * SEGMENT_BYTES) },
    }));
    const whole = (this.#bytes.get(file.number) ?? this.#byCid.get(file.cid)) as Uint8Array;
    for await (const part of fetchSegments(this.ports.transfer, request, segments, () => undefined)) {
      if (!part.ok) return false;
      const at = part.value.index * SEGMENT_BYTES;
      if (Buffer.compare(part.value.bytes, whole.subarray(at, at + part.value.bytes.length)) !== 0) return false;
      part.value.release();
    }
    return true;
  }

  owed(miner: FakeMiner): readonly AnchorId[] {
    return this.inventories.list(miner.peer.hotkey, undefined, 1000).items.map(({ anchorId }) => anchorId);
  }
}
