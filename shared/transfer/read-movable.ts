/**
 * Shards read from the very miners that hold them, checked against their anchors and unmasked: a shard that only moves
 * costs one read instead of k. Used by `rebuild-shards.ts`; what is not in the answer has to be rebuilt.
 */
import { shardBytesOf } from '#shared/codec/reed-solomon.ts';
import { fail } from '#shared/primitives/failure.ts';
import { shardIdOf } from '#shared/proof/any-anchor.ts';
import { maskKeyOf, maskShard } from '#shared/proof/mask.ts';
import { isAnchored } from './anchor-shard.ts';
import type { SlotComplaint, TransferPorts } from './ports.ts';
import type { RebuildHooks, RebuildRequest, WantedShard } from './rebuild-ports.ts';
import { withinPatience } from './within-patience.ts';

export async function readMovable(
  ports: TransferPorts,
  request: RebuildRequest,
  codingKey: Uint8Array,
  wanted: readonly WantedShard[],
  hooks: RebuildHooks,
): Promise<ReadonlyMap<WantedShard, Uint8Array>> {
  const coded = new Map<WantedShard, Uint8Array>();
  await Promise.all(
    wanted.map(async (shard) => {
      const bytes = await readOne(ports, request, codingKey, shard, hooks);
      if (bytes) coded.set(shard, bytes);
    }),
  );
  return coded;
}

async function readOne(
  ports: TransferPorts,
  { coding, segment, sources, signal }: RebuildRequest,
  codingKey: Uint8Array,
  { shardIndex }: WantedShard,
  hooks: RebuildHooks,
): Promise<Uint8Array | undefined> {
  const slot = segment.record.slots[shardIndex];
  const peer = slot && sources.get(slot.miner);
  if (!slot || !peer) return undefined;
  const bytes = shardBytesOf(segment.bytes, coding.k);
  const asked = [{ anchorId: shardIdOf(coding.anchorType, slot.root, bytes), bytes }];
  const complain = (what: SlotComplaint['what']) =>
    hooks.onComplaint({ segment: segment.index, shardIndex, slot, what });
  const answer = await withinPatience(ports, peer.hotkey, bytes, signal, async (limited) => {
    for await (const read of ports.miners.readShards(peer, asked, limited)) return read;
    return fail({ code: 'broken', fault: 'peer', message: 'the read had no answer', miner: peer.hotkey });
  });
  if (!answer.ok) {
    const { code } = answer.failure;
    if (code !== 'cancelled') complain(code === 'absent' || code === 'dropped' ? 'absent' : 'unreachable');
    return undefined;
  }
  const masked = answer.value;
  const place = { segment: segment.index, shardIndex, placement: slot.placement, miner: peer.hotkey };
  if (masked.length !== bytes || !isAnchored(ports, { ...coding, codingKey }, place, masked, slot.root)) {
    complain('wrong');
    return undefined;
  }
  return maskShard(maskKeyOf(codingKey, place), masked);
}
