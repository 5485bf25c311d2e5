/**
 * What of one segment's repair goes into the index and the validator's own books: slots replaced while they say what was
 * read, inventories and placings in one transaction, strays for what the record did not take. Used by
 * `repair-segment.ts`.
 */
import { IndexUnavailable, type SegmentRecord, type ShardSlot } from '#shared/index/ports.ts';
import { type AnchorId, idBytes, refOf } from '#shared/primitives/ids.ts';
import { type AnchorType, shardIdOf } from '#shared/proof/any-anchor.ts';
import type { PlacedShard } from '#shared/transfer/rebuild-ports.ts';
import type { SegmentName } from '#validator/state/repairs.ts';
import type { NetworkView } from './network-view.ts';
import type { RepairPorts } from './repair-ports.ts';

export class PlacedRecorder {
  recorded = 0;
  /** Losses found on the way. */
  found = 0;
  readonly #ports: RepairPorts;
  readonly #view: NetworkView;
  readonly #name: SegmentName;
  readonly #record: SegmentRecord;
  readonly #shardBytes: number;
  readonly #anchorType: AnchorType;

  constructor(
    ports: RepairPorts,
    view: NetworkView,
    name: SegmentName,
    record: SegmentRecord,
    { shardBytes, anchorType }: { readonly shardBytes: number; readonly anchorType: AnchorType },
  ) {
    this.#ports = ports;
    this.#view = view;
    this.#name = name;
    this.#record = record;
    this.#shardBytes = shardBytes;
    this.#anchorType = anchorType;
  }

  lose(shardIndex: number, slot: ShardSlot, reason: string): void {
    this.found++;
    const { file, segment } = this.#name;
    const evidence = `repair:${file}.${segment}`;
    this.#ports.repairs.report({ ...this.#name, shardIndex, placement: slot.placement, reason, evidence });
  }

  /** False when the slot says something else by now. An index that does not answer leaves the placing open. */
  async record(shard: PlacedShard): Promise<boolean> {
    const { files, log } = this.#ports;
    const { file, segment } = this.#name;
    const expected = this.#record.slots[shard.shardIndex];
    if (!expected) return false;
    try {
      if (!(await files.replaceSlot(file, segment, shard.shardIndex, expected, shard.slot))) return false;
    } catch (error) {
      if (!(error instanceof IndexUnavailable)) throw error;
      log.warn('slot-not-replaced', { ...this.#name, shardIndex: shard.shardIndex, reason: error.message });
      return true;
    }
    this.recorded++;
    const old = expected.state === 'stored' ? this.#anchorOf(expected) : undefined;
    this.#enterBooks(shard, expected, old);
    // Found by collection if this fails: nothing names it any more.
    const late = (error: unknown) => log.debug('not-handed-on', { reason: String(error) });
    // What a miner holds that is gone, collection finds when it comes back.
    if (old && this.#view.conditionOf(expected.miner) !== 'gone') {
      await files.addStrays([this.#stray(expected.miner, old)]).catch(late);
    }
    await files.addReceipts({ file, segment, receipts: [shard.receipt] }).catch(late);
    return true;
  }

  #anchorOf({ root }: ShardSlot): AnchorId {
    return shardIdOf(this.#anchorType, root, this.#shardBytes);
  }

  #stray(miner: ShardSlot['miner'], anchorId: AnchorId) {
    const { file, segment } = this.#name;
    return { miner, anchorId: idBytes(anchorId), ref: refOf(file, segment) };
  }

  /** Who owes what now, in one transaction with the end of the placing. */
  #enterBooks({ miner, slot, shardIndex, placement, anchorId }: PlacedShard, before: ShardSlot, old?: AnchorId): void {
    const { repairs, inventories, transaction } = this.#ports;
    const { file, segment } = this.#name;
    const place = { file, segment, shardIndex, placement };
    transaction(() => {
      inventories.add(miner.hotkey, {
        ...{ anchorId, anchorType: this.#anchorType, root: slot.root, bytes: this.#shardBytes, place },
      });
      const holder = this.#view.hotkeyOf(before.miner);
      if (holder && old) inventories.remove(holder, old);
      repairs.settleLoss(this.#name, shardIndex);
      repairs.settle(place);
    });
  }

  /** Strays go on the list of the index; when it does not take them, their placings stay open. */
  async leave(strays: readonly Pick<PlacedShard, 'miner' | 'anchorId' | 'shardIndex' | 'placement'>[]): Promise<void> {
    if (strays.length === 0) return;
    await this.#ports.files.addStrays(strays.map(({ miner, anchorId }) => this.#stray(miner.number, anchorId)));
    for (const { shardIndex, placement } of strays)
      this.#ports.repairs.settle({ ...this.#name, shardIndex, placement });
  }
}
