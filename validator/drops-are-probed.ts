/**
 * The miner client as the validator uses it: of every drop that a miner receipts, a few shards are noted to be asked for
 * later (`flows/probe-dropped.ts`); what is restored is asked for no more. Made by `main.ts`.
 */
import type { Clock } from '#shared/primitives/effects.ts';
import type { MinerClient } from '#shared/wire/ports.ts';
import type { DropProbes } from './state/drop-probes.ts';

/** Of one order: a miner that goes on serving what it had to drop is found by any of them. */
const PROBES_PER_ORDER = 16;

/** @param afterMs from the receipt to the probe */
export const dropsAreProbed = (
  miners: MinerClient,
  probes: DropProbes,
  clock: Clock,
  afterMs: number,
): MinerClient => ({
  ...miners,
  async drop(miner, anchors, action, reason, signal) {
    const answer = await miners.drop(miner, anchors, action, reason, signal);
    if (!answer.ok) return answer;
    const dropped = answer.value.filter(({ state }) => state === 'held' || state === 'erased');
    const some = dropped.slice(0, PROBES_PER_ORDER).map(({ anchorId }) => anchorId);
    if (action === 'drop') probes.add(miner.hotkey, some, clock.nowMs() + afterMs);
    else probes.settle(miner.hotkey, anchors);
    return answer;
  },
});
