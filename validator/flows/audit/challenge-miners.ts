/**
 * One round (por/v1 §§4, 8): once the chain has finalized block 25·r, every registered miner that owes this tenant
 * anything is asked for leaves of what it owes, and the answers are counted as one batch. Called again and again by the
 * schedule; a round is asked once, also across restarts. A miner without a chain is sent its start instead.
 */
import type { ChainFailure } from '#shared/chain/chain-failure.ts';
import { type Result, succeed } from '#shared/primitives/failure.ts';
import type { Observation } from '#validator/state/ports.ts';
import { type Asked, askMiners, settleRequests } from './ask-miners.ts';
import { ASK_WITHIN_BLOCKS, type AuditPorts, type RoundSchedule } from './audit-ports.ts';
import { type Draft, draftRound, draftStart, type MinerToAsk, type RoundBlock } from './draft-request.ts';

export interface RoundReport {
  readonly round: number;
  readonly started: number;
  readonly asked: number;
  readonly passed: number;
  readonly wrong: number;
  readonly silent: number;
  readonly void: number;
}

/** Undefined when no round is due. */
export async function challengeMiners(
  ports: AuditPorts,
  schedule: RoundSchedule,
  signal: AbortSignal,
): Promise<RoundReport | undefined> {
  const round = dueRound(ports, schedule);
  if (round === undefined) return undefined;
  const block = await blockOf(ports, schedule, round);
  if (!block.ok) {
    ports.log.warn('round-waits', { round, ...block.failure });
    return undefined;
  }
  const drafts = await draftAll(ports, await minersToAsk(ports), block.value);
  signal.throwIfAborted();
  ports.book.setLastRound(round);
  const tooLate = () => ports.blocks.newest().number > block.value.number + ASK_WITHIN_BLOCKS;
  const asked = await askMiners(ports, drafts, tooLate, signal);
  const observations = asked.flatMap(observationOf);
  await settleRequests(ports, asked, evidenceOf, () => {
    if (observations.length === 0) return;
    const { number } = block.value;
    const atMs = ports.clock.nowMs();
    ports.standings.record({ id: `round:${round}`, task: 'challenge', atMs, block: number, observations });
  });
  return report(ports, round, asked);
}

/** The newest round whose block is final, when it was not asked yet and may still be. */
function dueRound({ blocks, book }: AuditPorts, { roundBlocks }: RoundSchedule): number | undefined {
  const { number } = blocks.newest();
  const round = Math.floor(number / roundBlocks);
  if (round < 1 || round <= book.lastRound()) return undefined;
  return number - round * roundBlocks <= ASK_WITHIN_BLOCKS ? round : undefined;
}

export async function blockOf(
  { blocks }: AuditPorts,
  { roundBlocks }: RoundSchedule,
  round: number,
): Promise<Result<RoundBlock, ChainFailure>> {
  const number = round * roundBlocks;
  const hash = await blocks.hash(number);
  return hash.ok ? succeed({ round, number, hash: hash.value }) : hash;
}

/** All that are registered now and owe us anything, or did when the chain was committed. */
export async function minersToAsk(ports: AuditPorts): Promise<readonly MinerToAsk[]> {
  const registered = await ports.registrations.read();
  return registered
    .filter(({ hotkey, leftAt }) => leftAt === undefined && owes(ports, hotkey))
    .map(({ hotkey, address }) => {
      const url = ports.minerUrl(address);
      return { hotkey, peer: url === undefined ? undefined : { hotkey, url } };
    });
}

const owes = ({ inventories }: AuditPorts, hotkey: MinerToAsk['hotkey']): boolean =>
  inventories.head(hotkey).shards > 0 || (inventories.frozen(hotkey)?.leaves ?? 0) > 0;

async function draftAll(
  { book, inventories, signer }: AuditPorts,
  miners: readonly MinerToAsk[],
  block: RoundBlock,
): Promise<readonly Draft[]> {
  const drafts: Draft[] = [];
  for (const miner of miners) {
    const chain = book.chain(miner.hotkey);
    const frozen = inventories.frozen(miner.hotkey);
    if (!chain || !frozen) drafts.push(draftStart(signer.hotkey, miner, block));
    else if (chain.round < block.round && chain.sweepRound < block.round) {
      drafts.push(await draftRound(signer.hotkey, miner, block, chain, frozen));
    }
  }
  return drafts;
}

const evidenceOf = ({ plan: { request } }: Asked): string => `round:${request.round}`;

function observationOf(asked: Asked): readonly Observation[] {
  const { outcome, plan, why, elapsedMs } = asked;
  if (!outcome.ending) return [];
  const { request, answerBytes } = plan;
  return [
    {
      miner: request.miner,
      ending: outcome.ending,
      seconds: elapsedMs / 1000,
      bytes: why === undefined ? answerBytes : 0,
      reason: outcome.reason,
      evidence: evidenceOf(asked),
    },
  ];
}

function report({ log }: AuditPorts, round: number, asked: readonly Asked[]): RoundReport {
  const questions = asked.filter(({ plan }) => plan.request.round > 0);
  const count = (ending: string | undefined) => questions.filter(({ outcome }) => outcome.ending === ending).length;
  const summary = {
    round,
    started: asked.length - questions.length,
    asked: questions.length,
    passed: count('passed'),
    wrong: count('wrong'),
    silent: count('silent'),
    void: count(undefined),
  };
  if (asked.length > 0) log.info('round', summary);
  return summary;
}
