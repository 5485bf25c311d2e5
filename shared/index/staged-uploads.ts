/**
 * What this process has staged of its open uploads. Segment records gather here until a chunk of them is full, which
 * then goes to the index in one command: a file of one segment costs none before its commit. Nothing else is lost with
 * the process than uploads that were lost with it anyway; what they left in the index is found by their intents.
 */
import type { FileNumber } from '#shared/primitives/ids.ts';
import { IndexUnavailable, type SegmentRecord, type UploadIntent } from './ports.ts';
import { packSegment, segmentChars, segmentsPerChunk } from './records.ts';

/** Characters of all records held; an isolate's uploads at (16, 40) hold at most 32 KB each. */
const MAX_HELD_CHARS = 16 * 1024 * 1024;

export interface Chunk {
  readonly chunk: number;
  readonly text: string;
}

export class StagedUpload {
  readonly intent: UploadIntent;
  n: number | undefined;
  /** Slots staged as lost. */
  lost = 0;
  /** Chunks 0 to this, exclusive, may be in the index. */
  writtenChunks = 0;
  /** The switch was asked for once, and nobody knows whether it happened. */
  uncertain: boolean;
  /** It belongs to a session, which others may commit at the same time. */
  readonly shared: boolean;
  /** Records not yet written, by segment. */
  readonly held = new Map<number, SegmentRecord>();
  readonly #written = new Set<number>();

  constructor(intent: UploadIntent, shared = false) {
    this.intent = intent;
    this.shared = shared;
    this.uncertain = shared;
  }

  get heldChars(): number {
    return this.n === undefined ? 0 : this.held.size * segmentChars(this.n);
  }
  get segments(): number {
    return this.#written.size + this.held.size;
  }

  add(segment: number, record: SegmentRecord): void {
    this.n ??= record.slots.length;
    if (record.slots.length !== this.n) throw new RangeError('every segment of a file has the same number of shards');
    if (this.#written.has(segment)) throw new RangeError(`segment ${segment} is staged already`);
    this.lost += countLost(record) - countLost(this.held.get(segment));
    this.held.set(segment, record);
  }

  /** The chunk this segment belongs to, when it is full. */
  fullChunk(segment: number): Chunk | undefined {
    if (this.n === undefined) return undefined;
    const per = segmentsPerChunk(this.n);
    return this.#chunk(Math.floor(segment / per), per);
  }

  /** Everything still held, as chunks; undefined when a segment of the file is missing. */
  lastChunks(segments: number): readonly Chunk[] | undefined {
    if (this.n === undefined || this.segments !== segments) return undefined;
    const per = segmentsPerChunk(this.n);
    const chunks: Chunk[] = [];
    for (const index of new Set([...this.held.keys()].map((segment) => Math.floor(segment / per)))) {
      const chunk = this.#chunk(index, Math.min(per, segments - index * per));
      if (!chunk) return undefined;
      chunks.push(chunk);
    }
    return chunks;
  }

  #chunk(chunk: number, count: number): Chunk | undefined {
    const first = chunk * segmentsPerChunk(this.n ?? 1);
    let text = '';
    for (let segment = first; segment < first + count; segment++) {
      const record = this.held.get(segment);
      if (!record) return undefined;
      text += packSegment(record);
    }
    return { chunk, text };
  }

  /** The chunk is in the index: its records need not be held any more. */
  markWritten(chunk: number): void {
    const per = segmentsPerChunk(this.n ?? 1);
    for (let segment = chunk * per; segment < (chunk + 1) * per; segment++) {
      if (this.held.delete(segment)) this.#written.add(segment);
    }
  }
}

const countLost = (record: SegmentRecord | undefined): number =>
  record?.slots.filter((slot) => slot.state === 'lost').length ?? 0;

export class StagedUploads {
  readonly #uploads = new Map<FileNumber, StagedUpload>();

  /** Forgets uploads whose intent has run out, then takes the new one. */
  open(file: FileNumber, intent: UploadIntent, nowMs: number): void {
    for (const [number, upload] of this.#uploads) {
      if (upload.intent.expiresAtMs <= nowMs) this.#uploads.delete(number);
    }
    this.#uploads.set(file, new StagedUpload(intent));
  }
  find(file: FileNumber): StagedUpload | undefined {
    return this.#uploads.get(file);
  }
  forget(file: FileNumber): void {
    this.#uploads.delete(file);
  }
  checkRoom(): void {
    let chars = 0;
    for (const upload of this.#uploads.values()) chars += upload.heldChars;
    if (chars > MAX_HELD_CHARS) throw new IndexUnavailable('too many segment records are waiting for their commit');
  }
}
