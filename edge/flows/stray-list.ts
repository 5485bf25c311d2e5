/**
 * Shards of an upload that no manifest will name: losers of races as the engine reports them, and all of them when the
 * upload is abandoned. Handed to the index so that the tenant drops them soon; a bounded list, because collection finds
 * the rest anyway.
 */
import { shardBytesOf } from '#shared/codec/reed-solomon.ts';
import type { FileIndex, SegmentRecord, StrayShard } from '#shared/index/ports.ts';
import { idBytes } from '#shared/primitives/ids.ts';
import { anchorIdOf } from '#shared/proof/anchor.ts';
import type { StoredSegment, Stray } from '#shared/transfer/ports.ts';

/** One upload of this many stored shards fills at most 164 segments of 40; more is left to collection. */
const MAX_STRAYS = 4096;

export class StrayList {
  readonly #k: number;
  readonly #strays: StrayShard[] = [];
  #stored: { readonly bytes: number; readonly record: SegmentRecord }[] = [];
  #storedShards = 0;

  constructor(coding: { readonly k: number }) {
    this.#k = coding.k;
  }

  /** Remembers a stored segment for the case that the upload is abandoned. */
  noteStored({ bytes, record }: StoredSegment): void {
    if (this.#storedShards >= MAX_STRAYS) return;
    this.#storedShards += record.slots.length;
    this.#stored.push({ bytes, record });
  }

  /** The upload is abandoned: what was stored is stray too. */
  addStored(): void {
    for (const { bytes, record } of this.#stored) {
      const shardBytes = shardBytesOf(bytes, this.#k);
      for (const slot of record.slots) {
        if (slot.state !== 'stored') continue;
        this.#push({ miner: slot.miner, anchorId: idBytes(anchorIdOf({ root: slot.root, bytes: shardBytes })) });
      }
    }
    this.#stored = [];
  }

  add(strays: readonly Stray[]): void {
    for (const { miner, anchorId } of strays) this.#push({ miner, anchorId: idBytes(anchorId) });
  }

  #push(stray: StrayShard): void {
    if (this.#strays.length < MAX_STRAYS) this.#strays.push(stray);
  }

  async hand(files: FileIndex): Promise<void> {
    const strays = this.#strays.splice(0);
    if (strays.length > 0) await files.addStrays(strays);
  }
}
