/** The state of now in the words of `/v1`: bytes, ISO times. Pure; `network-routes.ts` serves it. */

import { isoTime } from '#edge/routes/file-answer.ts';
import type {
  MinerDetailAnswer,
  MinerEventAnswer,
  MinerStateAnswer,
  MinersAnswer,
  NetworkAnswer,
} from '#shared/api/network-schemas.ts';
import type { MinerDetail, MinerEvent, MinerNow, NetworkNow } from '#shared/index/network-ports.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';

export function networkAnswer(now: NetworkNow, validator: Hotkey): NetworkAnswer {
  const { network, window, weights } = now;
  return {
    takenAt: isoTime(now.takenAtMs),
    validator,
    block: now.block,
    window: { ...window, closesAtBlock: (window.number + 1) * window.blocks },
    miners: { known: now.miners, accepting: now.accepting },
    storedBytes: network.storedBytes,
    capacityBytes: network.capacityBytes,
    indexBytes: network.indexBytes,
    answers: { attempts: network.attempts, successes: network.successes },
    totalSuccesses: network.totalSuccesses,
    emission: network.emission,
    tiers: now.tiers.map(({ attempts, successes, ...tier }) => ({ ...tier, answers: { attempts, successes } })),
    weights: weights && {
      at: isoTime(weights.atMs),
      block: weights.block,
      step: weights.step,
      reason: weights.reason,
    },
  };
}

const stateAnswer = (miner: MinerNow): MinerStateAnswer => ({ ...miner });

export const minersAnswer = (
  { takenAtMs, miners }: { readonly takenAtMs: number; readonly miners: readonly MinerNow[] },
  { offset, limit }: { readonly offset: number; readonly limit: number },
): MinersAnswer => ({
  takenAt: takenAtMs === 0 ? null : isoTime(takenAtMs),
  total: miners.length,
  miners: miners.slice(offset, offset + limit).map(stateAnswer),
});

const change = <T>([before, after]: readonly [T, T]) => ({ before, after });

const eventAnswer = ({ atMs, score, tier, reward, ...event }: MinerEvent): MinerEventAnswer => ({
  at: isoTime(atMs),
  ...event,
  ...{ score: change(score), tier: change(tier), reward: change(reward) },
});

export const detailAnswer = (detail: MinerDetail): MinerDetailAnswer => ({
  ...stateAnswer(detail.miner),
  takenAt: isoTime(detail.takenAtMs),
  since: detail.sinceMs === null ? null : isoTime(detail.sinceMs),
  totalStrikes: detail.totalStrikes,
  lastWindow: detail.lastWindow,
  explanation: [...detail.explanation],
  events: detail.events.map(eventAnswer),
});
