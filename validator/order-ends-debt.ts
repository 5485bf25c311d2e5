/**
 * The miner client as the validator uses it: whoever is ordered to drop a shard owes it no more, from before the order
 * leaves. So no round draws what we had dropped, and what a round in flight asks of it is excused. All drops of all
 * jobs go through here; made by `main.ts`.
 */
import type { MinerClient } from '#shared/wire/ports.ts';
import type { Database } from './state/database.ts';
import type { Inventories } from './state/ports.ts';

export const orderEndsDebt = (
  miners: MinerClient,
  { database, inventories }: { readonly database: Database; readonly inventories: Inventories },
): MinerClient => ({
  ...miners,
  drop(miner, anchors, action, reason, signal) {
    if (action === 'drop') {
      database.transaction(() => {
        for (const anchorId of anchors) inventories.remove(miner.hotkey, anchorId);
      });
    }
    return miners.drop(miner, anchors, action, reason, signal);
  },
});
