/**
 * One wanted shard on its way to a miner, and to the next when that one fails: masked, sent, receipted, recorded. Every
 * attempt is made durable before its first byte leaves; one that may have arrived and is in no record is a stray.
 * Used by `rebuild-shards.ts`.
 */
import type { Result } from '#shared/primitives/failure.ts';
import type { OrderId } from '#shared/primitives/ids.ts';
import type { MinerFailure, ShardFrame, StoreReceipt } from '#shared/wire/ports.ts';
import type { Peer, TransferPorts } from './ports.ts';
import type { PlacedShard, Placing, RebuildHooks, RebuildRequest, WantedShard } from './rebuild-ports.ts';
import { type FileKeys, sealShard } from './segment-encoder.ts';
import { withinPatience } from './within-patience.ts';

/** Miners tried for one shard in one run; a later run goes on. */
const MAX_ATTEMPTS = 4;
/** The highest placing there is (u16). */
const MAX_PLACEMENT = 0xffff;
/** The miner's own word that it stored nothing. */
const REFUSALS: ReadonlySet<MinerFailure['code']> = new Set(['full', 'refused', 'busy', 'dropped']);

export interface Placed {
  readonly placed: PlacedShard | undefined;
  readonly strays: readonly Placing[];
}

/** The receipt of a shard, asked for once more when the connection that should have brought it broke. */
async function send(
  ports: TransferPorts,
  miner: Peer,
  order: OrderId,
  frame: ShardFrame,
  signal: AbortSignal,
): Promise<Result<StoreReceipt, MinerFailure>> {
  const bytes = frame.shard.length;
  const sent = await withinPatience(ports, miner.hotkey, bytes, signal, (limited) =>
    ports.miners.putShard(miner, order, frame, limited),
  );
  if (sent.ok || (sent.failure.code !== 'unreachable' && sent.failure.code !== 'broken')) return sent;
  const asked = await withinPatience(ports, miner.hotkey, 0, signal, (limited) =>
    ports.miners.readReceipt(miner, order, frame.anchorId, bytes, limited),
  );
  return asked.ok ? asked : sent;
}

export async function placeWanted(
  ports: TransferPorts,
  request: RebuildRequest,
  hooks: RebuildHooks,
  keys: FileKeys,
  wanted: WantedShard,
  coded: Uint8Array,
  first: Peer,
  again: () => Peer | undefined,
): Promise<Placed> {
  const { coding, segment, fileBytes, holdUntilMs, order, signal } = request;
  const { shardIndex } = wanted;
  const strays: Placing[] = [];
  let miner: Peer | undefined = first;
  for (let attempt = 0; miner && attempt < MAX_ATTEMPTS; attempt++) {
    const placement = wanted.placement + attempt;
    if (signal.aborted || placement > MAX_PLACEMENT) break;
    const place = { segment: segment.index, segmentBytes: segment.bytes, shardIndex, placement, miner: miner.hotkey };
    const { root, frame } = await sealShard(ports, coding, keys, { holdUntilMs, fileBytes }, place, coded);
    const placing: Placing = { shardIndex, placement, miner, anchorId: frame.anchorId };
    await hooks.onPlacing(placing);
    const startedMs = ports.clock.nowMs();
    const answer = await send(ports, miner, order, frame, signal);
    const ms = answer.ok ? ports.clock.nowMs() - startedMs : undefined;
    ports.latencies.note(miner.number, 'store', ms, frame.shard.length);
    if (answer.ok) {
      const slot = { root, miner: miner.number, placement, state: 'stored' } as const;
      const placed = { ...placing, slot, shardBytes: frame.shard.length, receipt: answer.value.signed };
      if (await hooks.onPlaced(placed)) return { placed, strays };
      // The record moved on under us: whatever it says now, this shard is not in it.
      strays.push(placing);
      break;
    }
    if (!REFUSALS.has(answer.failure.code)) strays.push(placing);
    ports.log.debug('shard-not-placed', { ...answer.failure, segment: segment.index, shardIndex });
    miner = again();
  }
  return { placed: undefined, strays };
}
