/**
 * Drops shards that an edge reported as belonging to nothing: losers of a race, leavings of an upload that failed. Those
 * whose miner does not answer go back on the bounded list; if they fall off it, collection finds them later.
 */

import { toHex } from '#shared/primitives/bytes.ts';
import { type AnchorId, idBytes, type MinerNumber } from '#shared/primitives/ids.ts';
import type { TenantPorts } from '#validator/ports.ts';
import { readKnownMiners } from './known-miners.ts';
import { orderDrops } from './order-drops.ts';

const TAKE = 1000;

type Ports = Pick<TenantPorts, 'files' | 'directory' | 'miners' | 'registrations' | 'minerUrl' | 'log'>;

export async function dropStrays(ports: Ports, signal: AbortSignal): Promise<number> {
  const strays = await ports.files.takeStrays(TAKE);
  if (strays.length === 0) return 0;
  const byMiner = new Map<MinerNumber, AnchorId[]>();
  for (const { miner, anchorId } of strays) {
    const id = toHex(anchorId) as AnchorId;
    const anchors = byMiner.get(miner);
    if (anchors) anchors.push(id);
    else byMiner.set(miner, [id]);
  }
  let dropped = 0;
  let back = strays;
  try {
    const known = await readKnownMiners(ports);
    const receipted = await orderDrops(ports, known, byMiner, 'stray', signal);
    dropped = [...receipted.values()].reduce((sum, anchors) => sum + anchors.size, 0);
    back = [...byMiner]
      .filter(([miner]) => known.has(miner))
      .flatMap(([miner, anchors]) =>
        anchors.filter((id) => !receipted.get(miner)?.has(id)).map((id) => ({ miner, anchorId: idBytes(id) })),
      );
  } finally {
    // Also when the run was broken off: what was taken and not dropped must not be forgotten.
    if (back.length > 0) await ports.files.addStrays(back);
  }
  return dropped;
}
