/**
 * The miner's shards on disk: the one door through which flows store, read, list and drop them. Joins database, files,
 * space, committer and eraser; decides nothing about who may ask. Everything is per tenant: no method sees a shard of
 * another (por/v1 §9). Opened by `main.ts`.
 */
import { statfsSync } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock, Log } from '#shared/primitives/effects.ts';
import { type Failure, fail, invariant, type Result, succeed } from '#shared/primitives/failure.ts';
import type { AnchorId, Hotkey, OrderId } from '#shared/primitives/ids.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import { POR_ANCHOR_TYPE } from '#shared/proof/any-anchor.ts';
import type { DropOrder } from '#shared/proof/drop-order.ts';
import { encodeDrop } from '#shared/proof/drop-receipt.ts';
import { type Network, signStatement } from '#shared/proof/statement.ts';
import { encodeStore } from '#shared/proof/store-receipt.ts';
import { ZK_ANCHOR_TYPE } from '#shared/proof/zk/zk-anchor.ts';
import { carryOutOrder, type OrderFailure, type OrderPorts } from './carry-out-order.ts';
import { ChallengeMemory, type Contradiction } from './challenge-memory.ts';
import { type Committed, Committer, type ShardOffer, type SignStore } from './committer.ts';
import { DatabaseRefused, inTransaction, openDatabase } from './database.ts';
import { DropRows } from './drop-rows.ts';
import { Eraser } from './eraser.ts';
import { type Folders, foldersOf, shardPath } from './folders.ts';
import { type AnnouncedShard, type ArrivedShard, diskFailure, IncomingShard } from './incoming-shard.ts';
import {
  cacheFrom,
  groupsOfFile,
  type ProvableShard,
  provable,
  type ZkProofPorts,
  zkProvable,
} from './provable-shard.ts';
import { type Recovered, recover, refuseForeignShards } from './recover.ts';
import { type ShardRow, ShardRows } from './shard-rows.ts';
import { type Reservation, Space, type SpaceFailure, type SpaceSettings } from './space.ts';

export interface StorePorts extends ZkProofPorts {
  readonly signer: Signer;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
}

export interface StoreTenant {
  readonly hotkey: Hotkey;
  readonly quotaBytes: number;
}

export interface StoreSettings extends SpaceSettings {
  readonly root: string;
  readonly holdMs: number;
  readonly orderAgeMs: number;
  readonly tenants: readonly StoreTenant[];
}

export type ReadFailure = Failure & { readonly code: 'absent' | 'dropped' };

/** A shard open for reading: close the handle, or hand it to a stream that does. */
export interface OpenShard {
  readonly bytes: number;
  readonly handle: FileHandle;
}

const ABSENT = fail<ReadFailure>({ code: 'absent', fault: 'caller', message: 'this miner does not hold this shard' });
const DROPPED = fail<ReadFailure>({ code: 'dropped', fault: 'caller', message: 'its tenant had this shard dropped' });

const MICROSECONDS_PER_MS = 1000;

type Noted = Parameters<ChallengeMemory['note']> extends [number, ...infer Rest] ? Rest : never;

export class ShardStore {
  readonly #ports: StorePorts;
  readonly #db: DatabaseSync;
  readonly #rows: ShardRows;
  readonly #folders: Folders;
  readonly #space: Space;
  readonly #committer: Committer;
  readonly #eraser: Eraser;
  readonly #orders: OrderPorts;
  readonly #challenges: ChallengeMemory;
  readonly #tenantIds = new Map<Hotkey, number>();
  readonly #tenantNames = new Map<number, Hotkey>();
  /** What the start found and mended. */
  readonly recovered: Recovered;

  private constructor(
    ports: StorePorts,
    settings: StoreSettings,
    db: DatabaseSync,
    rows: ShardRows,
    folders: Folders,
    recovered: Recovered,
  ) {
    const nowMs = () => ports.clock.nowMs();
    const { signer, network, log } = ports;
    this.#ports = ports;
    this.#db = db;
    this.#rows = rows;
    this.#folders = folders;
    this.recovered = recovered;
    this.#space = new Space(settings, () => freeDiskBytes(settings.root), nowMs);
    const quotas = new Map(settings.tenants.map((tenant) => [tenant.hotkey, tenant.quotaBytes]));
    for (const tenant of rows.tenants()) {
      // A tenant taken off the list keeps what it has, and gets nothing more.
      this.#space.addTenant(tenant.id, quotas.get(tenant.hotkey) ?? 0, tenant.bytes, tenant.shards);
      this.#tenantIds.set(tenant.hotkey, tenant.id);
      this.#tenantNames.set(tenant.id, tenant.hotkey);
    }
    const sign: SignStore = (offer, seq, storedAtMs, holdUntilMs) =>
      signStatement(signer, encodeStore(network, { ...offer, miner: signer.hotkey, seq, storedAtMs, holdUntilMs }));
    this.#committer = new Committer({ db, rows, space: this.#space, folders, sign, nowMs, log });
    this.#challenges = new ChallengeMemory(db, network, nowMs);
    this.#orders = {
      db,
      rows,
      drops: new DropRows(db),
      nowMs,
      holdMs: settings.holdMs,
      orderAgeMs: settings.orderAgeMs,
      sign: (receipt) => signStatement(signer, encodeDrop(network, { ...receipt, miner: signer.hotkey })),
    };
    this.#eraser = new Eraser({
      db,
      rows,
      nowMs,
      log,
      pathOf: (tenantId, anchorId) => {
        const tenant = this.#tenantNames.get(tenantId);
        invariant(tenant, 'every row belongs to a known tenant');
        return shardPath(folders, tenant, anchorId);
      },
      onErased: (tenantId, bytes) => this.#space.free(tenantId, bytes),
    });
    this.#eraser.plan();
  }

  /** Opens the folder, mends what the last run left, and starts erasing what is due. */
  static async open(ports: StorePorts, settings: StoreSettings): Promise<ShardStore> {
    const folders = foldersOf(settings.root);
    await mkdir(folders.tmp, { recursive: true });
    await mkdir(folders.shards, { recursive: true });
    const db = openDatabase(folders.database);
    try {
      const rows = new ShardRows(db);
      const owner = rows.owner();
      if (owner === undefined) await refuseForeignShards(folders);
      else if (owner !== ports.signer.hotkey) {
        throw new DatabaseRefused(`${settings.root} belongs to the miner ${owner}, not to ${ports.signer.hotkey}`);
      }
      const nowMs = () => ports.clock.nowMs();
      inTransaction(db, () => {
        rows.beginSeq(ports.signer.hotkey, nowMs() * MICROSECONDS_PER_MS);
        for (const { hotkey } of settings.tenants) rows.tenantId(hotkey);
      });
      const recovered = await recover(db, rows, folders, nowMs, ports.log);
      return new ShardStore(ports, settings, db, rows, folders, recovered);
    } catch (error) {
      db.close();
      if (diskFailure(error).code === 'full') throw new DatabaseRefused(`the disk of ${settings.root} is full`);
      throw error;
    }
  }

  #tenantId(tenant: Hotkey): number {
    const id = this.#tenantIds.get(tenant);
    invariant(id !== undefined, 'admission lets known tenants through only');
    return id;
  }

  /** Who may store from now on, and how much; who is not named keeps what it has, and gets nothing more. */
  setTenants(tenants: readonly StoreTenant[]): void {
    for (const id of this.#tenantIds.values()) this.#space.setQuota(id, 0);
    for (const { hotkey, quotaBytes } of tenants) {
      const known = this.#tenantIds.get(hotkey);
      const id = known ?? this.#rows.tenantId(hotkey);
      if (known !== undefined) this.#space.setQuota(id, quotaBytes);
      else this.#space.addTenant(id, quotaBytes, 0, 0);
      this.#tenantIds.set(hotkey, id);
      this.#tenantNames.set(id, hotkey);
    }
  }

  /** Shards that some tenant still counts on: neither dropped nor lost. */
  heldShards(): number {
    return this.#rows.countHeld();
  }

  get freeBytes(): number {
    return this.#space.freeBytes();
  }
  get capacityBytes(): number {
    return this.#space.capacityBytes;
  }
  get shards(): number {
    return this.#space.shards;
  }
  get storedBytes(): number {
    return this.#space.storedBytes;
  }

  reserve(tenant: Hotkey, bytes: number): Result<Reservation, SpaceFailure> {
    return this.#space.reserve(this.#tenantId(tenant), bytes);
  }

  /** True when the anchor was dropped: it is refused before its bytes are taken. */
  isDropped(tenant: Hotkey, anchorId: AnchorId): boolean {
    const id = this.#tenantId(tenant);
    const row = this.#rows.find(id, anchorId);
    return row ? row.dropped !== undefined : this.#rows.buried(id, anchorId);
  }

  beginShard(announced: AnnouncedShard): Promise<IncomingShard> {
    return IncomingShard.begin(this.#folders, this.#ports, announced);
  }

  /**
   * Makes an arrived shard durable and receipts it. A shard that is held already is replaced by its equal, which
   * mends a rotten copy; the same order by the same caller gets the receipt it got.
   */
  commit(offer: Omit<ShardOffer, 'tenantId'>, arrived: ArrivedShard, reservation: Reservation): Promise<Committed> {
    return this.#committer.commit({ ...offer, tenantId: this.#tenantId(offer.tenant) }, arrived, reservation);
  }

  /** The signed receipt of the caller's own order. */
  receipt(tenant: Hotkey, anchorId: AnchorId, order: OrderId, caller: Hotkey): Result<Uint8Array, ReadFailure> {
    if (this.isDropped(tenant, anchorId)) return DROPPED;
    const row = this.#rows.find(this.#tenantId(tenant), anchorId);
    const receipt = row && !row.lost && this.#rows.receipt(this.#tenantId(tenant), anchorId, order, caller);
    return receipt ? succeed(receipt.signed) : ABSENT;
  }

  /** Opens a shard's file. A file of the wrong size is not served: it counts as lost from then on. */
  async openShard(tenant: Hotkey, anchorId: AnchorId): Promise<Result<OpenShard, ReadFailure>> {
    if (this.isDropped(tenant, anchorId)) return DROPPED;
    const row = this.#rows.find(this.#tenantId(tenant), anchorId);
    if (!row || row.lost) return ABSENT;
    let handle: FileHandle;
    try {
      handle = await open(shardPath(this.#folders, tenant, anchorId), 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      this.#lose(tenant, row, 'missing');
      return this.isDropped(tenant, anchorId) ? DROPPED : ABSENT;
    }
    const { size } = await handle.stat();
    if (size === row.bytes) return succeed({ bytes: row.bytes, handle });
    await handle.close();
    this.#lose(tenant, row, 'wrong-size');
    return ABSENT;
  }

  /**
   * Opens a shard to prove that it is here; undefined when it is not, or not whole. The tree's upper levels are made
   * anew when the row has none that lead to the shard's name (a folder of an older version, a damaged row).
   */
  async openForProof(tenant: Hotkey, anchorId: AnchorId): Promise<ProvableShard | undefined> {
    const opened = await this.openShard(tenant, anchorId);
    if (!opened.ok) return undefined;
    const { bytes, handle } = opened.value;
    const { kernel, log } = this.#ports;
    const id = this.#tenantId(tenant);
    try {
      const kept = this.#rows.material(id, anchorId);
      if (kept?.type === ZK_ANCHOR_TYPE) {
        const proven = zkProvable(this.#ports, anchorId, bytes, kept.bytes, handle);
        if (proven) return proven;
      }
      const known = kept && cacheFrom(kernel, anchorId, bytes, kept.bytes);
      if (known) return provable(kernel, known, handle);
      const groups = await groupsOfFile(kernel, anchorId, bytes, handle);
      const cache = groups && cacheFrom(kernel, anchorId, bytes, groups);
      if (groups && cache) {
        this.#rows.putMaterial(id, anchorId, { type: POR_ANCHOR_TYPE, bytes: groups });
        return provable(kernel, cache, handle);
      }
      log.error('shard-rotten', { tenant, anchorId });
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    return undefined;
  }

  /** Remembers a challenge and the record before it; durable when it returns. */
  noteChallenge(tenant: Hotkey, ...noted: Noted): readonly Contradiction[] {
    return this.#challenges.note(this.#tenantId(tenant), ...noted);
  }

  /** What is kept against a tenant: pairs of its own signed statements. */
  evidence(tenant: Hotkey): ReturnType<ChallengeMemory['evidence']> {
    return this.#challenges.evidence(this.#tenantId(tenant));
  }

  #lose(tenant: Hotkey, { anchorId, bytes }: ShardRow, why: 'missing' | 'wrong-size'): void {
    const id = this.#tenantId(tenant);
    const row = this.#rows.find(id, anchorId);
    // Another request found it first, or it was dropped meanwhile.
    if (!row || row.lost || row.dropped) return;
    this.#rows.setLost(id, anchorId, true);
    this.#space.free(id, bytes);
    this.#ports.log.error('shard-lost', { tenant, anchorId, why });
  }

  /** Up to `limit` shards after an anchor id, in that order. */
  list(tenant: Hotkey, after: AnchorId | undefined, limit: number): readonly ShardRow[] {
    return this.#rows.page(this.#tenantId(tenant), after, limit);
  }

  /** Carries out a drop or restore order whose signature holds; the signed drop receipt. */
  carryOut(order: DropOrder, orderHash: Uint8Array): Result<Uint8Array, OrderFailure> {
    const id = this.#tenantId(order.tenant);
    const outcome = carryOutOrder(this.#orders, id, this.#space.usedBytes(id), order, orderHash);
    this.#eraser.plan();
    return outcome;
  }

  /** Waits for what is being stored and erased, then lets go of the folder. */
  async close(): Promise<void> {
    await this.#committer.close();
    await this.#eraser.stop();
    this.#db.close();
  }
}

function freeDiskBytes(root: string): number {
  const { bavail, bsize } = statfsSync(root);
  return bavail * bsize;
}
