/**
 * Shards of an upload that no manifest will name: losers of races as the engine reports them, and all of them when the
 * upload is abandoned. Handed to the index so that the tenant drops them soon; a bounded list, because collection finds
 * the rest anyway.
 */
import { shardBytesOf } from '#shared/codec/reed-solomon.ts';
import type { FileIndex, StrayShard } from '#shared/index/ports.ts';
import { idBytes, refOf } from '#shared/primitives/ids.ts';
import { shardIdOf } from '#shared/proof/any-anchor.ts';
import type { FileCoding, StoredSegment, Stray } from '#shared/transfer/ports.ts';

/** One upload of this many stored shards fills at most 164 segments of 40; more is left to collection. */
const MAX_STRAYS = 4096;

type StrayCoding = Pick<FileCoding, 'number' | 'k' | 'anchorType'>;

export class StrayList {
  readonly #coding: StrayCoding;
  readonly #strays: StrayShard[] = [];
  #stored: Pick<StoredSegment, 'index' | 'bytes' | 'record'>[] = [];
  #storedShards = 0;

  constructor(coding: StrayCoding) {
    this.#coding = coding;
  }

  /** More would be left to collection. */
  get isFull(): boolean {
    return this.#storedShards >= MAX_STRAYS;
  }

  /** Remembers a stored segment for the case that the upload is abandoned. */
  noteStored({ index, bytes, record }: StoredSegment): void {
    if (this.#storedShards >= MAX_STRAYS) return;
    this.#storedShards += record.slots.length;
    this.#stored.push({ index, bytes, record });
  }

  /** The upload is abandoned: what was stored is stray too. */
  addStored(): void {
    for (const { index, bytes, record } of this.#stored) {
      const shardBytes = shardBytesOf(bytes, this.#coding.k);
      for (const slot of record.slots) {
        if (slot.state !== 'stored') continue;
        const anchorId = idBytes(shardIdOf(this.#coding.anchorType, slot.root, shardBytes));
        this.#push({ miner: slot.miner, anchorId, ref: refOf(this.#coding.number, index) });
      }
    }
    this.#stored = [];
  }

  add(strays: readonly Stray[]): void {
    for (const { miner, anchorId, segment } of strays) {
      this.#push({ miner, anchorId: idBytes(anchorId), ref: refOf(this.#coding.number, segment) });
    }
  }

  #push(stray: StrayShard): void {
    if (this.#strays.length < MAX_STRAYS) this.#strays.push(stray);
  }

  async hand(files: FileIndex): Promise<void> {
    const strays = this.#strays.splice(0);
    if (strays.length > 0) await files.addStrays(strays);
  }
}
