/**
 * The full sweep (por/v1 §8): beside the rounds, a slow walk over every shard of every miner, up to 256 shards and two
 * leaves of each a request, one request a round. It is for repair's sake: what it finds lost is reported, nothing of it
 * counts for scores or rewards. Follows the same chain of requests, so it is committed, recorded and exported alike.
 */
import { type Asked, askMiners, settleRequests } from './ask-miners.ts';
import type { AuditPorts, RoundSchedule } from './audit-ports.ts';
import { blockOf, minersToAsk } from './challenge-miners.ts';
import { type Draft, draftSweep, type RoundBlock } from './draft-request.ts';

export interface SweepReport {
  readonly asked: number;
  readonly shards: number;
  readonly lost: number;
}

const NEVER_TOO_LATE = () => false;
const evidenceOf = ({ plan: { request } }: Asked): string => `sweep:${request.round}`;

export async function sweepMiners(
  ports: AuditPorts,
  schedule: RoundSchedule,
  signal: AbortSignal,
): Promise<SweepReport | undefined> {
  // After the round of the newest block: the ordinary request of a round comes first in the chain.
  const round = Math.floor(ports.blocks.newest().number / schedule.roundBlocks);
  if (round < 1 || round > ports.book.lastRound()) return undefined;
  const block = await blockOf(ports, schedule, round);
  if (!block.ok) return undefined;
  const drafts = await draftAll(ports, block.value);
  if (drafts.length === 0) return undefined;
  const asked = await askMiners(ports, drafts, NEVER_TOO_LATE, signal);
  await settleRequests(ports, asked, evidenceOf, () => {});
  const report = {
    asked: asked.length,
    shards: asked.reduce((sum, { plan }) => sum + plan.items.length, 0),
    lost: asked.reduce((sum, { outcome }) => sum + outcome.lost.length, 0),
  };
  if (report.lost > 0) ports.log.info('sweep-found-losses', { round, ...report });
  return report;
}

async function draftAll(ports: AuditPorts, block: RoundBlock): Promise<readonly Draft[]> {
  const { book, inventories, signer } = ports;
  const drafts: Draft[] = [];
  for (const miner of await minersToAsk(ports)) {
    const chain = book.chain(miner.hotkey);
    const frozen = inventories.frozen(miner.hotkey);
    if (!chain || !frozen || frozen.leaves === 0 || chain.sweepRound >= block.round) continue;
    drafts.push(draftSweep(signer.hotkey, miner, block, chain, frozen));
  }
  return drafts;
}
