/**
 * From drafts to verdicts (por/v1 §§4, 7): all requests are opened in one transaction, each frozen with what the next is
 * committed to, before any is sent; sent, answered, judged; then records, standings and losses are written in one
 * transaction. A crash before leaves open requests, which become void at the next start; after it, nothing is open.
 */
import type { AnchorId } from '#shared/primitives/ids.ts';
import { type AnyAnchor, anchorOfType } from '#shared/proof/any-anchor.ts';
import { encodeRecord } from '#shared/proof/audit-record.ts';
import { encodeRequest, parseRequest } from '#shared/proof/challenge-request.ts';
import { commitOf } from '#shared/proof/seed.ts';
import { SIGNATURE_BYTES, signStatement } from '#shared/proof/statement.ts';
import { type Judgement, judgeWhole, planRound, type RoundPlan, verifyAnswer } from '#shared/proof/verify-answer.ts';
import { type NoAnswer, outcomeOf, type RequestOutcome, verdictWithout } from '#validator/domain/request-outcome.ts';
import { anchorsById, type OpenRequest } from '#validator/state/audit-book.ts';
import type { OwedShard } from '#validator/state/ports.ts';
import { type AuditPorts, REQUESTS_AT_ONCE } from './audit-ports.ts';
import type { Draft, MinerToAsk } from './draft-request.ts';

/** A request that is on record as open, and is about to be sent. */
interface Opened {
  readonly miner: MinerToAsk;
  readonly plan: RoundPlan;
  /** statement ‖ signature. */
  readonly signed: Uint8Array;
  readonly owed: ReadonlyMap<AnchorId, OwedShard>;
  readonly record: Uint8Array | undefined;
}

/** A request and what came of it, judged. */
export interface Asked extends Omit<Opened, 'owed' | 'record'> {
  readonly owed: ReadonlyMap<AnchorId, OwedShard>;
  readonly judgement: Judgement;
  readonly outcome: RequestOutcome;
  /** Undefined when there was none that could be judged item by item. */
  readonly answer: Uint8Array | undefined;
  readonly why: NoAnswer | undefined;
  readonly sentAtMs: number;
  readonly elapsedMs: number;
}

/** When no miner of so many was reached, it is our own connection that is away. */
const LEAST_MINERS_TO_BLAME = 3;
const LONGEST_ELAPSED_MS = 2 ** 32 - 1;

/**
 * Asks and judges; nothing is settled yet.
 * @param tooLate asked right before each request is sent: the round's time is over
 */
export async function askMiners(
  ports: AuditPorts,
  drafts: readonly Draft[],
  tooLate: () => boolean,
  signal: AbortSignal,
): Promise<readonly Asked[]> {
  const opened = openAll(ports, drafts);
  const asked: Asked[] = [];
  let next = 0;
  const lane = async () => {
    for (;;) {
      const request = opened[next++];
      if (!request) return;
      asked.push(await askOne(ports, request, tooLate, signal));
    }
  };
  await Promise.all(Array.from({ length: Math.min(REQUESTS_AT_ONCE, opened.length) }, lane));
  return blameUs(asked);
}

function openAll(ports: AuditPorts, drafts: readonly Draft[]): readonly Opened[] {
  const { inventories, book, network, signer, random, clock } = ports;
  return ports.database.transaction(() =>
    drafts.map(({ miner, request: draft, owed, sweepCursor, record }): Opened => {
      const nextSalt = random(32);
      const { inventory, leaves: inventoryLeaves } = inventories.freeze(miner.hotkey);
      const request = { ...draft, nextCommit: commitOf({ salt: nextSalt, inventory, inventoryLeaves }) };
      const plan = planRound(network, request, anchorsOf(owed));
      if (!plan.ok) throw new Error(`invariant broken: ${plan.failure.message}`);
      const signed = signStatement(signer, encodeRequest(network, request));
      const anchors = plan.value.items.map((item) => item.anchor);
      book.open({ miner: miner.hotkey, request: signed, nextSalt, anchors, sweepCursor, openedAtMs: clock.nowMs() });
      return { miner, plan: plan.value, signed, owed, record };
    }),
  );
}

const anchorsOf = (owed: ReadonlyMap<AnchorId, OwedShard>): ReadonlyMap<AnchorId, AnyAnchor> =>
  new Map([...owed].map(([id, { anchorType, root, bytes }]) => [id, anchorOfType(anchorType, root, bytes)]));

async function askOne(
  ports: AuditPorts,
  { miner, plan, signed, owed, record }: Opened,
  tooLate: () => boolean,
  signal: AbortSignal,
): Promise<Asked> {
  const { clock, log } = ports;
  const sentAtMs = clock.nowMs();
  const finish = (judgement: Judgement, why: NoAnswer | undefined, answer?: Uint8Array): Asked => ({
    ...{ miner, plan, signed, owed, judgement, answer, why, sentAtMs },
    outcome: outcomeOf(judgement, why),
    elapsedMs: Math.min(Math.max(0, clock.nowMs() - sentAtMs), LONGEST_ELAPSED_MS),
  });
  const without = (why: NoAnswer) => finish(judgeWhole(plan, verdictWithout(why)), why);
  try {
    if (!miner.peer) return without('no-address');
    if (tooLate()) return without('too-late');
    const body = record ? { request: signed, record } : { request: signed };
    const answer = await ports.miners.challenge(miner.peer, body, plan.answerBytes, signal);
    if (signal.aborted) return without('our-fault');
    if (answer.ok) return finish(judge(ports, plan, answer.value), undefined, answer.value);
    log.debug('challenge-unanswered', { ...answer.failure });
    if (answer.failure.code === 'unreachable') return without('unreachable');
    return without(answer.failure.code === 'broken' ? 'broken' : 'refused');
  } catch (error) {
    log.error('challenge-failed', { miner: miner.hotkey, error: String(error) });
    return without('our-fault');
  }
}

function judge(
  { verify, inventories, fast, zkKernel, random }: AuditPorts,
  plan: RoundPlan,
  answer: Uint8Array,
): Judgement {
  const { miner, items } = plan.request;
  // What was dropped or replaced at our own order since the inventory was frozen is no loss of the miner's.
  const excused = new Set(items.map((item) => item.anchorId).filter((id) => !inventories.find(miner, id)));
  return verifyAnswer(verify, plan, answer, { excused, fast, zk: { kernel: zkKernel, random } });
}

/** Nobody reached: void for everyone, whatever it looks like from here. */
function blameUs(asked: readonly Asked[]): readonly Asked[] {
  const tried = asked.filter(({ miner }) => miner.peer);
  if (tried.length < LEAST_MINERS_TO_BLAME || !tried.every(({ why }) => why === 'unreachable')) return asked;
  return asked.map((one) => {
    const judgement = judgeWhole(one.plan, 'void');
    return { ...one, judgement, outcome: outcomeOf(judgement, 'network-away'), why: 'network-away' };
  });
}

/**
 * Writes what came: answers first, then records, chains, losses and whatever `alongside` adds, in one transaction.
 * @param evidence where an asked request can be looked up
 */
export async function settleRequests(
  ports: AuditPorts,
  asked: readonly Asked[],
  evidence: (asked: Asked) => string,
  alongside: () => void,
): Promise<void> {
  const { ledger, losses } = ports;
  const answers = asked.flatMap(({ judgement: { transcript }, answer }) => (answer ? [{ transcript, answer }] : []));
  await ledger.keepAnswers(answers);
  ports.database.transaction(() => {
    for (const one of asked) {
      settleOne(ports, one);
      for (const { anchorId, reason } of one.outcome.lost) {
        const place = one.owed.get(anchorId)?.place;
        if (place) losses.report({ ...place, reason, evidence: evidence(one) });
      }
    }
    alongside();
  });
  await ledger.flush();
}

function settleOne(
  { network, signer, book, ledger }: AuditPorts,
  { plan: { request }, judgement, sentAtMs, elapsedMs }: Pick<Asked, 'plan' | 'judgement' | 'sentAtMs' | 'elapsedMs'>,
): void {
  const { items, answerSignature, transcript } = judgement;
  const statement = encodeRecord(network, { request, sentAtMs, elapsedMs, answerSignature, items, transcript });
  const record = signStatement(signer, statement);
  ledger.put(record);
  const { miner, round, sweep } = request;
  book.settle({ miner, round, sweep, transcript, record });
}

/** Requests that the last run left open become void: whether they were sent, or answered, is not known (por/v1 §7). */
export async function voidOpenRequests(ports: AuditPorts): Promise<number> {
  const open = ports.book.opened();
  if (open.length === 0) return 0;
  ports.database.transaction(() => {
    for (const one of open) {
      const plan = planAgain(ports, one);
      settleOne(ports, { plan, judgement: judgeWhole(plan, 'void'), sentAtMs: one.openedAtMs, elapsedMs: 0 });
    }
  });
  await ports.ledger.flush();
  ports.log.warn('requests-void', { requests: open.length, why: 'restarted' });
  return open.length;
}

function planAgain({ network }: AuditPorts, { request: signed, anchors }: OpenRequest): RoundPlan {
  const request = parseRequest(network, signed.subarray(0, signed.length - SIGNATURE_BYTES));
  const plan = request.ok ? planRound(network, request.value, anchorsById(request.value.items, anchors)) : request;
  if (!plan.ok) throw new Error('invariant broken: an open request of our own is not one');
  return plan.value;
}
