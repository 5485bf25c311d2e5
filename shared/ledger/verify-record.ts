/**
 * One record of an export, in clauses (por/v1 §§4–7): the block of its round, the inventory it drew from, what it had to
 * ask, the verdicts that the answer allows, the miner's signature, the transcript. Everything that the record says is
 * derived again from what stands before it; nothing of it is believed but what nobody can derive, and that is listed.
 */
import { equalBytes } from '#shared/primitives/bytes.ts';
import { type AnchorId, publicKeyOf } from '#shared/primitives/ids.ts';
import { leafCount } from '#shared/proof/anchor.ts';
import type { AnyAnchor } from '#shared/proof/any-anchor.ts';
import type { AuditRecord } from '#shared/proof/audit-record.ts';
import { encodeAnswerHashes } from '#shared/proof/challenge-answer.ts';
import { MAX_REQUEST_ITEMS, MAX_SWEEP_LEAVES, type RequestItem } from '#shared/proof/challenge-request.ts';
import type { Inventory } from '#shared/proof/inventory.ts';
import { selectShards } from '#shared/proof/sample.ts';
import { contextOf, roundLeaves } from '#shared/proof/seed.ts';
import type { Network } from '#shared/proof/statement.ts';
import { EMPTY_HASH, roundTranscript, type Verdict } from '#shared/proof/transcript.ts';
import { planRound, type RoundPlan, verifyAnswer } from '#shared/proof/verify-answer.ts';
import type { WordAlone } from './audit-report.ts';
import type { Refusal, VerifyPorts } from './verify-export.ts';

interface Auditing {
  readonly ports: VerifyPorts;
  readonly network: Network;
  readonly roundBlocks: number;
}

interface RecordToJudge {
  readonly record: AuditRecord;
  readonly answer: Uint8Array | undefined;
  /** It starts a chain, and asks nothing. */
  readonly starts: boolean;
  /** As the steps before this line lead to. */
  readonly inventory: Inventory;
  readonly anchors: ReadonlyMap<AnchorId, AnyAnchor>;
}

interface JudgedRecord {
  readonly passed: boolean;
  readonly wordAlone: readonly Pick<WordAlone, 'verdict' | 'items' | 'why'>[];
}

const refuse = (code: Refusal['code'], message: string): Refusal => ({ code, message });
const ZEROS = new Uint8Array(32);
const NO_SIGNATURE = new Uint8Array(64);

export async function judgeRecord(auditing: Auditing, one: RecordToJudge): Promise<JudgedRecord | Refusal> {
  const { record, starts, inventory, anchors } = one;
  const { request } = record;
  const name = `round ${request.round}`;

  if (starts) {
    const zero = request.block === 0 && request.inventoryLeaves === 0 && request.leaves === 0 && !request.sweep;
    if (!zero || !equalBytes(request.inventory, ZEROS) || !equalBytes(request.salt, ZEROS)) {
      return refuse('wrong-selection', 'the start of a chain asks nothing and names no inventory');
    }
  } else {
    if (request.block !== request.round * auditing.roundBlocks) {
      return refuse('wrong-block', `${name} draws from block ${request.block}`);
    }
    if (!equalBytes(request.inventory, inventory.hash) || request.inventoryLeaves !== inventory.leaves) {
      return refuse('wrong-inventory', `${name} names an inventory that the steps before do not lead to`);
    }
    const selection = request.sweep ? checkSweep(request.items, inventory, anchors) : await checkRound(one);
    if (selection) return refuse('wrong-selection', `${name}: ${selection}`);
  }

  const plan = planRound(auditing.network, request, anchors);
  if (!plan.ok) return refuse('wrong-selection', `${name}: ${plan.failure.message}`);
  return judgeAnswer(auditing, one, plan.value, name);
}

/** All leaves that must be asked, of the shards that the context draws. */
async function checkRound({ record: { request }, inventory }: RecordToJudge): Promise<string | undefined> {
  const leaves = roundLeaves(inventory.leaves);
  if (request.leaves !== leaves) return `it asks ${request.leaves} leaves, not ${leaves}`;
  const expected = await selectShards(contextOf(request), inventory, leaves);
  return sameItems(expected, request.items) ? undefined : 'it asks other shards than were drawn';
}

const sameItems = (a: readonly RequestItem[], b: readonly RequestItem[]): boolean =>
  a.length === b.length && a.every((item, i) => item.anchorId === b[i]?.anchorId && item.leaves === b[i]?.leaves);

/** A run of the inventory in class and slot order, two leaves of each shard. */
function checkSweep(
  items: readonly RequestItem[],
  inventory: Inventory,
  anchors: ReadonlyMap<AnchorId, AnyAnchor>,
): string | undefined {
  const places: number[] = [];
  const before = [0];
  for (const { shards } of inventory.classes) before.push((before.at(-1) ?? 0) + shards);
  for (const { anchorId, leaves } of items) {
    const place = inventory.placeOf(anchorId);
    const anchor = anchors.get(anchorId);
    if (!place || !anchor) return `${anchorId} is not in the inventory`;
    if (leaves !== Math.min(MAX_SWEEP_LEAVES, leafCount(anchor.bytes))) return `${leaves} leaves of ${anchorId}`;
    places.push((before[place.s] ?? 0) + place.slot);
  }
  const first = Math.min(...places);
  const last = Math.max(...places);
  if (items.length > 0 && last - first !== items.length - 1) return 'a sweep asks shards that stand together';
  const reachesEnd = last === (before.at(-1) ?? 0) - 1;
  return items.length === MAX_REQUEST_ITEMS || reachesEnd || items.length === 0
    ? undefined
    : 'a sweep that is cut short';
}

function judgeAnswer(
  { ports }: Auditing,
  { record, answer }: RecordToJudge,
  plan: RoundPlan,
  name: string,
): JudgedRecord | Refusal {
  const { items, answerSignature, request } = record;
  const signed = !equalBytes(answerSignature, NO_SIGNATURE);
  const whole = items.every(({ verdict }) => verdict === items[0]?.verdict) ? items[0]?.verdict : undefined;
  if (!signed && items.length > 0 && whole !== 'silent' && whole !== 'malformed' && whole !== 'void') {
    return refuse('wrong-verdict', `${name}: only silence, malformed and void need no signature of the miner`);
  }
  if (signed && items.some(({ verdict }) => verdict === 'silent' || verdict === 'malformed')) {
    return refuse('wrong-verdict', `${name}: the miner's answer was signed, and yet it is silent or malformed`);
  }

  // What the miner signed follows from the record: a body's hash, or that of nothing where it declared it missing.
  const hashes = items.map(({ bodyHash }) => (equalBytes(bodyHash, EMPTY_HASH) ? undefined : bodyHash));
  const statement = signed ? encodeAnswerHashes(plan.requestBytes, hashes) : undefined;
  if (statement && !ports.verify(statement, answerSignature, publicKeyOf(request.miner))) {
    return refuse('wrong-signature', `${name}: the miner did not sign this answer`);
  }
  const contradiction = items.findIndex(
    ({ verdict }, i) =>
      (verdict === 'missing') !== (hashes[i] === undefined) && (verdict === 'missing' || needsBody(verdict)),
  );
  if (contradiction >= 0) return refuse('wrong-verdict', `${name}: item ${contradiction} contradicts what was signed`);

  const seeds = plan.items.map((item) => item.seed);
  const chained = items.map(({ verdict, bodyHash }, i) => ({ seed: seeds[i] as Uint8Array, verdict, bodyHash }));
  const transcript = roundTranscript(request.prevTranscript, chained, plan.requestBytes, statement);
  if (!equalBytes(transcript, record.transcript)) {
    return refuse('wrong-transcript', `${name}: the transcript is another`);
  }

  const passed =
    items.some(({ verdict }) => verdict === 'passed') &&
    items.every(({ verdict }) => verdict === 'passed' || verdict === 'void');
  const unsigned = counted(items, 'unsigned', (verdict) => !needsBody(verdict) && verdict !== 'missing');
  if (!signed || !answer) {
    const notKept = signed ? counted(items, 'answer-not-kept', needsBody) : [];
    return { passed, wordAlone: [...unsigned, ...notKept] };
  }
  // The answer itself is here: every verdict that it decides must be the record's.
  const again = verifyAnswer(ports.verify, plan, answer, { zk: ports.zk });
  const wrong = again.items.findIndex(({ verdict, bodyHash }, i) => {
    const claimed = items[i] as (typeof items)[number];
    // Void excuses a miner from what it failed, never the other way round.
    const excused = claimed.verdict === 'void' && (verdict === 'wrong' || verdict === 'missing');
    return !(claimed.verdict === verdict || excused) || !equalBytes(bodyHash, claimed.bodyHash);
  });
  if (wrong >= 0) return refuse('wrong-verdict', `${name}: the answer shows another verdict for item ${wrong}`);
  return { passed, wordAlone: unsigned };
}

const needsBody = (verdict: Verdict): boolean => verdict === 'passed' || verdict === 'wrong';

function counted(
  items: AuditRecord['items'],
  why: WordAlone['why'],
  which: (verdict: Verdict) => boolean,
): Pick<WordAlone, 'verdict' | 'items' | 'why'>[] {
  const counts = new Map<Verdict, number>();
  for (const { verdict } of items) if (which(verdict)) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  return [...counts].map(([verdict, count]) => ({ verdict, items: count, why }));
}
