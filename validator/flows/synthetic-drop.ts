/**
 * The end of synthetic shards. One whose time is over is owed no more at once, and dropped only when no round that was
 * committed with it can be asked any more, so that no honest miner misses a shard that we had it drop. One whose receipt
 * never came (a crash, a broken connection) is dropped too: an order for what is not there does no harm.
 */
import type { AnchorId, MinerNumber } from '#shared/primitives/ids.ts';
import type { TenantPorts } from '#validator/ports.ts';
import type { SyntheticShard } from '#validator/state/synthetics.ts';
import { readKnownMiners } from './known-miners.ts';
import { orderDrops } from './order-drops.ts';
import type { SyntheticPorts } from './synthetic-store.ts';

/** Of one run. */
const AT_ONCE = 1000;

export interface SyntheticDropSettings {
  /** Blocks from one round to the next (por/v1 §4). */
  readonly roundBlocks: number;
  /** As in `SyntheticSettings`. */
  readonly lifeBlocks: number;
}

type Ports = Pick<SyntheticPorts, 'synthetics' | 'inventories' | 'transaction' | 'blocks' | 'log'> &
  Pick<TenantPorts, 'registrations' | 'directory' | 'miners' | 'minerUrl'>;

/** @returns how many were dropped */
export async function syntheticDrop(
  ports: Ports,
  { roundBlocks, lifeBlocks }: SyntheticDropSettings,
  signal: AbortSignal,
): Promise<number> {
  const { synthetics, inventories, transaction } = ports;
  const { number } = ports.blocks.newest();
  transaction(() => {
    for (const { anchorId, miner } of synthetics.due('owed', number, AT_ONCE)) {
      inventories.remove(miner, anchorId);
      // The round that is committed to, and the one being asked.
      synthetics.setState(anchorId, 'leaving', number + 2 * roundBlocks);
    }
    // Draws never overlap: what an earlier one than the last left as 'sent' was never counted.
    for (const { anchorId } of synthetics.due('sent', synthetics.lastDraw('store') - 1 + lifeBlocks, AT_ONCE)) {
      synthetics.setState(anchorId, 'leaving', number);
    }
  });
  return await dropLeaving(ports, synthetics.due('leaving', number, AT_ONCE), signal);
}

async function dropLeaving(ports: Ports, leaving: readonly SyntheticShard[], signal: AbortSignal): Promise<number> {
  if (leaving.length === 0) return 0;
  const known = await readKnownMiners(ports);
  const numbers = new Map<string, MinerNumber>();
  for (const [number, peer] of known) if (peer) numbers.set(peer.hotkey, number);
  const registered = new Set((await ports.registrations.read()).map(({ hotkey }) => hotkey));
  const wanted = new Map<MinerNumber, AnchorId[]>();
  for (const { anchorId, miner } of leaving) {
    const number = numbers.get(miner);
    if (number !== undefined) wanted.set(number, [...(wanted.get(number) ?? []), anchorId]);
    // Gone from the chain and settled: nobody is left to drop it.
    else if (!registered.has(miner)) ports.synthetics.forget(anchorId);
  }
  const receipted = await orderDrops(ports, known, wanted, 'expired', signal);
  let dropped = 0;
  ports.transaction(() => {
    for (const anchors of receipted.values()) {
      for (const anchorId of anchors) ports.synthetics.forget(anchorId);
      dropped += anchors.size;
    }
  });
  return dropped;
}
