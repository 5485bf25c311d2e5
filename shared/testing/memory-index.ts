/**
 * The index in memory, for tests of flows: the same contract as the Redis adapter, without its layout. `fail` makes
 * the next calls of a method reject, to see what callers then do.
 */
import {
  type AccessIndex,
  type ApiKey,
  type CommitOutcome,
  type DeletionProgress,
  type DirectorySnapshot,
  type FileChange,
  type FileIndex,
  type FileRecord,
  IndexUnavailable,
  type MinerDirectory,
  type OwnerUsage,
  type Page,
  type ReceiptBatch,
  type Recoding,
  type SegmentRecord,
  type StrayShard,
  type Tombstone,
  type UploadIntent,
} from '#shared/index/ports.ts';
import { equalBytes, toHex } from '#shared/primitives/bytes.ts';
import type { Clock } from '#shared/primitives/effects.ts';
import type { Cid, FileNumber, Hotkey, MinerNumber, OwnerId } from '#shared/primitives/ids.ts';

const later = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : Math.max(a, b));

function pageOf<T>(all: readonly T[], cursor: string | undefined, limit: number): Page<T> {
  const from = cursor === undefined ? 0 : Number(cursor);
  const items = all.slice(from, from + limit);
  return from + limit < all.length ? { items, next: String(from + limit) } : { items };
}

export class MemoryIndex implements FileIndex, AccessIndex, MinerDirectory {
  readonly #clock: Clock;
  readonly intents = new Map<FileNumber, UploadIntent>();
  readonly staged = new Map<FileNumber, Map<number, SegmentRecord>>();
  readonly live = new Map<FileNumber, FileRecord>();
  readonly buried = new Map<FileNumber, { file: FileRecord; tombstone: Tombstone }>();
  readonly segments = new Map<FileNumber, SegmentRecord[]>();
  readonly deletions = new Map<string, FileNumber>();
  /** Re-coded files: where they are now. */
  readonly #moved = new Map<FileNumber, FileNumber>();
  /** How far deletions had come when their tombstones were settled. */
  readonly #settled = new Map<FileNumber, DeletionProgress>();
  strays: StrayShard[] = [];
  receipts: ReceiptBatch[] = [];
  readonly keys = new Map<string, ApiKey>();
  readonly quotas = new Map<OwnerId, number>();
  readonly maskChecks = new Map<number, Uint8Array>();
  readonly grants = new Map<Hotkey, Uint8Array>();
  readonly #nonces = new Set<string>();
  readonly #minerNumbers = new Map<Hotkey, MinerNumber>();
  snapshot: DirectorySnapshot = { takenAtMs: 0, miners: [] };
  epoch = 1;
  #next = 1;
  readonly #failing = new Map<string, number>();
  /** Names of the methods called, in order. */
  readonly calls: string[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The next `times` calls of this method reject with `IndexUnavailable`. */
  fail(method: keyof FileIndex | keyof AccessIndex | keyof MinerDirectory, times = 1): void {
    this.#failing.set(method, times);
  }
  #enter(method: string): void {
    this.calls.push(method);
    const left = this.#failing.get(method) ?? 0;
    if (left === 0) return;
    this.#failing.set(method, left - 1);
    throw new IndexUnavailable(`${method} fails as told`);
  }

  // ---- uploads
  async beginUpload(intent: UploadIntent): Promise<FileNumber> {
    this.#enter('beginUpload');
    const number = this.#next++ as FileNumber;
    this.intents.set(number, intent);
    this.staged.set(number, new Map());
    return number;
  }
  async stageSegment(file: FileNumber, segment: number, record: SegmentRecord): Promise<void> {
    this.#enter('stageSegment');
    const staged = this.staged.get(file);
    if (!staged || staged.has(segment)) throw new Error(`segment ${segment} of ${file} cannot be staged`);
    staged.set(segment, record);
  }
  async commitFile(file: FileRecord): Promise<CommitOutcome> {
    this.#enter('commitFile');
    const done = this.live.get(file.number);
    if (done) return { outcome: 'stored', file: done };
    const had = await this.findFile(file.cid, file.owner);
    if (had) {
      const kept = { ...had, expiresAtMs: later(had.expiresAtMs, file.expiresAtMs) };
      this.live.set(had.number, kept);
      this.#forget(file.number);
      return { outcome: 'already', file: kept };
    }
    const { bytes, quotaBytes } = await this.usage(file.owner);
    if (bytes + file.bytes > quotaBytes) return { outcome: 'over-quota', quotaBytes, usedBytes: bytes };
    const staged = this.staged.get(file.number);
    const records = Array.from({ length: file.segments }, (_, segment) => staged?.get(segment));
    if (!records.every((record) => record !== undefined)) throw new Error('segments are missing');
    this.segments.set(file.number, records);
    this.live.set(file.number, file);
    this.#forget(file.number);
    return { outcome: 'stored', file };
  }
  #forget(file: FileNumber): void {
    this.staged.delete(file);
    this.intents.delete(file);
  }
  async abandonUpload(file: FileNumber): Promise<void> {
    this.#enter('abandonUpload');
    this.#forget(file);
  }

  // ---- files
  #find(test: (file: FileRecord) => boolean): FileRecord[] {
    return [...this.live.values()].filter(test);
  }
  async findFile(cid: Cid, owner?: OwnerId): Promise<FileRecord | undefined> {
    this.#enter('findFile');
    return this.#find((file) => file.cid === cid && (owner === undefined || file.owner === owner))[0];
  }
  async findByName(owner: OwnerId, name: string): Promise<FileRecord | undefined> {
    this.#enter('findByName');
    return this.#find((file) => file.owner === owner && file.name === name).at(-1);
  }
  async readFile(file: FileNumber): Promise<FileRecord | undefined> {
    this.#enter('readFile');
    return this.live.get(file);
  }
  async readSegments(file: { number: FileNumber }, from: number, count: number): Promise<readonly SegmentRecord[]> {
    this.#enter('readSegments');
    return (this.segments.get(file.number) ?? []).slice(from, from + count);
  }
  async listFiles(owner: OwnerId, cursor: string | undefined, limit: number): Promise<Page<FileRecord>> {
    this.#enter('listFiles');
    return pageOf(this.#find((file) => file.owner === owner).reverse(), cursor, limit);
  }
  async usage(owner: OwnerId): Promise<OwnerUsage> {
    this.#enter('usage');
    const files = this.#find((file) => file.owner === owner);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    return { files: files.length, bytes, quotaBytes: this.quotas.get(owner) ?? 2 ** 40 };
  }
  async changeFile(file: FileRecord, change: FileChange): Promise<FileRecord | undefined> {
    this.#enter('changeFile');
    const known = this.live.get(this.#current(file.number));
    if (!known) return undefined;
    const { name: before, ...rest } = known;
    const name = change.name === undefined ? before : (change.name ?? undefined);
    const changed: FileRecord = {
      ...rest,
      expiresAtMs: change.expiresAtMs ?? known.expiresAtMs,
      ...(name === undefined ? {} : { name }),
    };
    this.live.set(known.number, changed);
    return changed;
  }
  readonly envelopes = new Map<FileNumber, Uint8Array>();
  async writeEnvelope(...[file, revision, envelope, revisionOf]: Parameters<FileIndex['writeEnvelope']>) {
    this.#enter('writeEnvelope');
    const number = this.#current(file.number);
    if (!this.live.has(number)) return undefined;
    const current = this.envelopes.get(number);
    if (current && revisionOf(current) >= revision) return { written: equalBytes(current, envelope), current };
    this.envelopes.set(number, envelope);
    return { written: true, current: envelope };
  }
  async readEnvelopes(files: readonly FileNumber[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.#enter('readEnvelopes');
    return files.map((file) => this.envelopes.get(file));
  }
  async deleteFile(file: FileRecord, reason: 'deleted' | 'expired'): Promise<boolean> {
    this.#enter('deleteFile');
    const number = reason === 'deleted' ? this.#current(file.number) : file.number;
    const known = this.live.get(number);
    if (!known) return false;
    this.#bury(known, reason);
    this.deletions.set(`${file.owner} ${file.cid}`, number);
    return true;
  }
  #bury(file: FileRecord, reason: Tombstone['reason']): void {
    this.live.delete(file.number);
    this.envelopes.delete(file.number);
    const tombstone = { number: file.number, deletedAtMs: this.#clock.nowMs(), reason };
    this.buried.set(file.number, { file, tombstone });
  }
  #current(file: FileNumber): FileNumber {
    const moved = this.#moved.get(file);
    return moved === undefined ? file : this.#current(moved);
  }
  async replaceFile(file: FileRecord, recoding: Recoding): Promise<boolean> {
    this.#enter('replaceFile');
    const { number, k, n, codingId, maskEpoch } = recoding;
    if (this.#moved.get(file.number) === number) return true;
    const known = this.live.get(file.number);
    if (!known || !equalBytes(known.codingId, file.codingId)) return false;
    const staged = this.staged.get(number);
    if (!staged) throw new IndexUnavailable('this re-coding was not staged here');
    const records = Array.from({ length: known.segments }, (_, segment) => staged.get(segment));
    if (!records.every((record) => record !== undefined)) throw new RangeError('segments are missing');
    const envelope = this.envelopes.get(file.number);
    const place = [...this.live.keys()].indexOf(file.number);
    this.#bury(known, 'recoded');
    const others = [...this.live];
    this.live.clear();
    const recoded = { ...known, number, k, n, codingId, maskEpoch };
    for (const [key, value] of others.toSpliced(place, 0, [number, recoded])) this.live.set(key, value);
    this.segments.set(number, records);
    if (envelope) this.envelopes.set(number, envelope);
    this.#moved.set(file.number, number);
    this.#forget(number);
    return true;
  }
  async deletion(owner: OwnerId, cid: Cid): Promise<DeletionProgress | undefined> {
    this.#enter('deletion');
    const number = this.deletions.get(`${owner} ${cid}`);
    if (number === undefined) return undefined;
    const tombstone = this.buried.get(number)?.tombstone;
    return tombstone ? this.#progress(number, tombstone) : this.#settled.get(number);
  }
  #progress(number: FileNumber, { deletedAtMs }: Tombstone): DeletionProgress {
    const slots = (this.segments.get(number) ?? []).flatMap((record) => record.slots);
    const dropped = slots.filter((slot) => slot.state === 'dropped').length;
    const lost = slots.filter((slot) => slot.state === 'lost').length;
    return { deletedAtMs, shards: slots.length - lost, dropped };
  }
  async replaceSlot(...[file, segment, shardIndex, expected, slot]: Parameters<FileIndex['replaceSlot']>) {
    this.#enter('replaceSlot');
    const record = this.segments.get(file)?.[segment];
    const found = record?.slots[shardIndex];
    if (!record || !found || found.miner !== expected.miner || found.placement !== expected.placement) return false;
    if (!equalBytes(found.root, expected.root)) return false;
    const slots = record.slots.with(shardIndex, slot);
    this.segments.set(file, (this.segments.get(file) ?? []).with(segment, { ...record, slots }));
    return true;
  }

  // ---- the tenant's jobs
  async expiredFiles(nowMs: number, limit: number): Promise<readonly FileRecord[]> {
    this.#enter('expiredFiles');
    return this.#find(({ expiresAtMs }) => expiresAtMs !== 0 && expiresAtMs <= nowMs).slice(0, limit);
  }
  async tombstones(cursor: string | undefined, limit: number): Promise<Page<Tombstone>> {
    this.#enter('tombstones');
    const all = [...this.buried.values()].map(({ tombstone }) => tombstone);
    return pageOf(all, cursor, limit);
  }
  async readAnyFile(file: FileNumber): Promise<FileRecord | undefined> {
    this.#enter('readAnyFile');
    return this.live.get(file) ?? this.buried.get(file)?.file;
  }
  async settleTombstone(file: FileNumber): Promise<void> {
    this.#enter('settleTombstone');
    const buried = this.buried.get(file);
    if (buried) this.#settled.set(file, this.#progress(file, buried.tombstone));
    this.buried.delete(file);
    this.segments.delete(file);
  }
  async expiredUploads(nowMs: number, limit: number): Promise<readonly FileNumber[]> {
    this.#enter('expiredUploads');
    const over = [...this.intents].filter(([, intent]) => intent.expiresAtMs <= nowMs);
    return over.slice(0, limit).map(([number]) => number);
  }
  async uploadOpen(file: FileNumber): Promise<boolean> {
    this.#enter('uploadOpen');
    return this.intents.has(file);
  }
  async liveFiles(cursor: string | undefined, limit: number): Promise<Page<FileRecord>> {
    this.#enter('liveFiles');
    return pageOf(
      [...this.live.values()].sort((a, b) => a.number - b.number),
      cursor,
      limit,
    );
  }
  async addStrays(strays: readonly StrayShard[]): Promise<void> {
    this.#enter('addStrays');
    this.strays.push(...strays);
  }
  async takeStrays(limit: number): Promise<readonly StrayShard[]> {
    this.#enter('takeStrays');
    return this.strays.splice(0, limit);
  }
  async addReceipts(batch: ReceiptBatch): Promise<void> {
    this.#enter('addReceipts');
    if (batch.receipts.length > 0) this.receipts.push(batch);
  }
  async readReceipts(limit: number): Promise<{ batches: readonly ReceiptBatch[]; entries: number }> {
    this.#enter('readReceipts');
    const batches = this.receipts.slice(0, limit);
    return { batches, entries: batches.length };
  }
  async forgetReceipts(entries: number): Promise<void> {
    this.#enter('forgetReceipts');
    this.receipts.splice(0, entries);
  }
  async maskCheck(maskEpoch: number): Promise<Uint8Array | undefined> {
    this.#enter('maskCheck');
    return this.maskChecks.get(maskEpoch);
  }
  async claimMaskCheck(maskEpoch: number, check: Uint8Array): Promise<boolean> {
    this.#enter('claimMaskCheck');
    const kept = this.maskChecks.get(maskEpoch) ?? check;
    this.maskChecks.set(maskEpoch, kept);
    return equalBytes(kept, check);
  }
  async identity(): Promise<{ readonly id: string; readonly epoch: number }> {
    this.#enter('identity');
    return { id: 'memory', epoch: this.epoch };
  }
  async advanceEpoch(): Promise<number> {
    this.#enter('advanceEpoch');
    return ++this.epoch;
  }

  // ---- miners
  async read(): Promise<DirectorySnapshot> {
    this.#enter('read');
    return this.snapshot;
  }
  async numberOf(hotkeys: readonly Hotkey[]): Promise<ReadonlyMap<Hotkey, MinerNumber>> {
    this.#enter('numberOf');
    for (const hotkey of hotkeys) {
      if (!this.#minerNumbers.has(hotkey)) this.#minerNumbers.set(hotkey, (this.#minerNumbers.size + 1) as MinerNumber);
    }
    return new Map(hotkeys.map((hotkey) => [hotkey, this.#minerNumbers.get(hotkey) as MinerNumber]));
  }
  async publish(snapshot: DirectorySnapshot): Promise<void> {
    this.#enter('publish');
    this.snapshot = snapshot;
  }

  // ---- access
  async findKey(keyHash: Uint8Array): Promise<ApiKey | undefined> {
    this.#enter('findKey');
    return this.keys.get(toHex(keyHash));
  }
  async addKey(key: ApiKey, keyHash: Uint8Array): Promise<void> {
    this.#enter('addKey');
    this.keys.set(toHex(keyHash), key);
  }
  async listKeys(owner: OwnerId): Promise<readonly ApiKey[]> {
    this.#enter('listKeys');
    return [...this.keys.values()].filter((key) => key.owner === owner);
  }
  async revokeKey(owner: OwnerId, keyId: string): Promise<boolean> {
    this.#enter('revokeKey');
    const found = [...this.keys].find(([, key]) => key.owner === owner && key.keyId === keyId);
    return found !== undefined && this.keys.delete(found[0]);
  }
  async isKnownOwner(owner: OwnerId): Promise<boolean> {
    this.#enter('isKnownOwner');
    return this.quotas.has(owner) || [...this.keys.values()].some((key) => key.owner === owner);
  }
  async setQuota(owner: OwnerId, quotaBytes: number): Promise<void> {
    this.#enter('setQuota');
    this.quotas.set(owner, quotaBytes);
  }
  async readGrant(edge: Hotkey): Promise<Uint8Array | undefined> {
    this.#enter('readGrant');
    return this.grants.get(edge);
  }
  async writeGrant(edge: Hotkey, grant: Uint8Array): Promise<void> {
    this.#enter('writeGrant');
    this.grants.set(edge, grant);
  }
  async claimNonce(identity: string, nonce: string): Promise<boolean> {
    this.#enter('claimNonce');
    const claim = `${identity} ${nonce}`;
    if (this.#nonces.has(claim)) return false;
    this.#nonces.add(claim);
    return true;
  }
}
