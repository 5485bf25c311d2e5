/**
 * Has miners drop shards: signed orders in batches, one miner after another within a miner's batches, all miners at
 * once. Answers which shards were receipted; what is not in the answer is to be ordered again later. The miner client
 * signs the order and checks the receipt.
 */
import type { AnchorId, MinerNumber } from '#shared/primitives/ids.ts';
import { DROP_REASONS, type DropReason } from '#validator/domain/drop-reason.ts';
import type { TenantPorts } from '#validator/ports.ts';
import type { KnownMiners } from './known-miners.ts';

/** Anchors of one order: its body stays near 32 KiB, a miner's transaction short. */
const ORDER_ANCHORS = 1000;

export async function orderDrops(
  ports: Pick<TenantPorts, 'miners' | 'log'>,
  known: KnownMiners,
  wanted: ReadonlyMap<MinerNumber, readonly AnchorId[]>,
  reason: DropReason,
  signal: AbortSignal,
): Promise<ReadonlyMap<MinerNumber, ReadonlySet<AnchorId>>> {
  const receipted = new Map<MinerNumber, Set<AnchorId>>();
  const fromOne = async (miner: MinerNumber, anchors: readonly AnchorId[]) => {
    const peer = known.get(miner);
    if (!peer) return;
    const done = new Set<AnchorId>();
    receipted.set(miner, done);
    const unique = [...new Set(anchors)];
    for (let at = 0; at < unique.length; at += ORDER_ANCHORS) {
      const batch = unique.slice(at, at + ORDER_ANCHORS);
      const answer = await ports.miners.drop(peer, batch, 'drop', DROP_REASONS[reason], signal);
      if (!answer.ok) {
        const { code, problem, message } = answer.failure;
        // Silence is the monitor's to report.
        const level = code === 'unreachable' || code === 'cancelled' ? 'debug' : 'warn';
        ports.log[level]('drop-refused', { miner: peer.hotkey, reason, shards: batch.length, code, problem, message });
        return;
      }
      // Absent is as good as gone; 'restored' is no answer to a drop and the client refuses it.
      for (const { anchorId, state } of answer.value) if (state !== 'restored') done.add(anchorId);
    }
    if (done.size > 0) ports.log.info('shards-dropped', { miner: peer.hotkey, reason, shards: done.size });
  };
  await Promise.all([...wanted].map(([miner, anchors]) => fromOne(miner, anchors)));
  return receipted;
}
