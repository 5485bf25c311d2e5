/**
 * The jobs that turn answers into standings and weights, as the schedule takes them: closing windows, setting
 * weights, and describing all of it in the index. Made by `main.ts`.
 */
import type { NetworkHistory } from '#shared/index/network-ports.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import { tierNamed } from './domain/standing-steps.ts';
import { tierAllowance } from './domain/tier-allowance.ts';
import { closeWindow } from './flows/close-window.ts';
import { describeNetwork, newDescribeState } from './flows/describe-network.ts';
import { newSetWeightsState, setWeights } from './flows/set-weights.ts';
import type { ValidatorPorts } from './ports.ts';
import type { Job } from './schedule.ts';
import type { ValidatorSettings } from './settings.ts';
import type { ValidatorState } from './state/open-state.ts';

/** Bytes that a miner may still be entrusted with under its tier. */
export const allowanceIn =
  ({ standings, inventories }: Pick<ValidatorState, 'standings' | 'inventories'>) =>
  (miner: Hotkey): number =>
    tierAllowance(tierNamed(standings.find(miner)?.tier ?? '', standings.tiers), inventories.head(miner).bytes);

export function standingJobs(
  ports: ValidatorPorts,
  { standings, weights, inventories }: ValidatorState,
  { everyMs, windowBlocks, snapshotMs }: ValidatorSettings,
  history: NetworkHistory,
): readonly Job[] {
  const setting = newSetWeightsState();
  const described = newDescribeState();
  const rules = { tiers: standings.tiers, windowBlocks, snapshotMs };
  return [
    {
      name: 'close-window',
      everyMs: everyMs.closeWindow,
      run: () => closeWindow({ ...ports, standings }, windowBlocks),
    },
    {
      name: 'set-weights',
      everyMs: everyMs.setWeights,
      run: (signal) => setWeights({ ...ports, standings, weights }, setting, signal),
    },
    {
      name: 'describe',
      everyMs: everyMs.describe,
      run: (signal) =>
        describeNetwork({ ...ports, standings, weights, inventories, history }, rules, described, signal),
    },
  ];
}
