/**
 * Judges a miner's answer to a challenge request (por/v1 §7). The verifier expects what its own record says: anchors,
 * seeds, indices and lengths are all fixed before the answer is read, and nothing that the miner sends is an
 * expectation. Validators plan a round, send it, and judge what came; auditors do the same from a record.
 */
import type { Random } from '#shared/primitives/effects.ts';
import { type Failure, fail, invariant, type Result, succeed } from '#shared/primitives/failure.ts';
import { type AnchorId, publicKeyOf } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import type { VerifySr25519 } from '#shared/primitives/signer.ts';
import { leafCount } from './anchor.ts';
import { type AnyAnchor, bodyBytesOfAnchor, idOfAnchor, isZkAnchor } from './any-anchor.ts';
import { type AnswerItem, encodeAnswerHashes, parseAnswer } from './challenge-answer.ts';
import { type ChallengeRequest, encodeRequest } from './challenge-request.ts';
import { type RowHasher, verifyBody } from './multiproof.ts';
import { sampleLeaves } from './sample.ts';
import { contextOf, seedOf } from './seed.ts';
import { type Network, SIGNATURE_BYTES } from './statement.ts';
import { EMPTY_HASH, roundTranscript, type TranscriptItem, type Verdict } from './transcript.ts';
import { verifyPossessions, type ZkItem } from './zk/verify-possession.ts';
import type { ZkKernel } from './zk/zk-kernel.ts';

/** What must be in the answer for one shard. */
export interface ExpectedItem {
  readonly anchorId: AnchorId;
  readonly anchor: AnyAnchor;
  readonly seed: Uint8Array;
  /** Leaves asked, ascending. */
  readonly indices: readonly number[];
  readonly bodyBytes: number;
}

export interface RoundPlan {
  readonly request: ChallengeRequest;
  /** The request statement, as it is signed. */
  readonly requestBytes: Uint8Array;
  readonly items: readonly ExpectedItem[];
  /** Of a complete answer: what the deadline is made of. */
  readonly answerBytes: number;
}

/** Our own record has no anchor for a shard that we ask about, or another one: the round is void, nobody's fault. */
export interface PlanFailure extends Failure {
  readonly code: 'anchor-unknown';
  readonly anchorId: AnchorId;
}

/** Everything that follows from a request and our own anchors. Miners plan with the anchors of their own shards. */
export function planRound(
  network: Network,
  request: ChallengeRequest,
  anchors: ReadonlyMap<AnchorId, AnyAnchor>,
): Result<RoundPlan, PlanFailure> {
  const context = contextOf(request);
  const items: ExpectedItem[] = [];
  for (const { anchorId, leaves } of request.items) {
    const anchor = anchors.get(anchorId);
    if (!anchor || idOfAnchor(anchor) !== anchorId) {
      return fail({ code: 'anchor-unknown', fault: 'us', anchorId, message: `no anchor on record for ${anchorId}` });
    }
    const seed = seedOf(network, request, anchorId, context);
    const indices = sampleLeaves(seed, leafCount(anchor.bytes), leaves);
    items.push({ anchorId, anchor, seed, indices, bodyBytes: bodyBytesOfAnchor(anchor, indices) });
  }
  const answerBytes = items.reduce((sum, item) => sum + 1 + item.bodyBytes, SIGNATURE_BYTES);
  return succeed({ request, requestBytes: encodeRequest(network, request), items, answerBytes });
}

export interface JudgedItem extends TranscriptItem {
  readonly anchorId: AnchorId;
}

export interface Judgement {
  readonly items: readonly JudgedItem[];
  /** The miner's signature when it holds, else 64 zero bytes. */
  readonly answerSignature: Uint8Array;
  readonly transcript: Uint8Array;
  /**
   * One batch is one attempt, passed only if every item passed that is not void (por/v1 §8). Never true of a round that
   * asked nothing: it is no attempt at all.
   */
  readonly passed: boolean;
}

const judged = ({ anchorId, seed }: ExpectedItem, verdict: Verdict, bodyHash = EMPTY_HASH): JudgedItem => ({
  anchorId,
  seed,
  verdict,
  bodyHash,
});

function judgementOf(
  { request, requestBytes }: RoundPlan,
  items: readonly JudgedItem[],
  signed?: { readonly signature: Uint8Array; readonly statement: Uint8Array },
): Judgement {
  return {
    items,
    answerSignature: signed?.signature ?? new Uint8Array(SIGNATURE_BYTES),
    transcript: roundTranscript(request.prevTranscript, items, requestBytes, signed?.statement),
    passed:
      items.some(({ verdict }) => verdict === 'passed') &&
      items.every(({ verdict }) => verdict === 'passed' || verdict === 'void'),
  };
}

/** One verdict for the whole round: nobody answered (`silent`), or we cannot judge (`void`). */
export const judgeWhole = (plan: RoundPlan, verdict: 'silent' | 'malformed' | 'void'): Judgement =>
  judgementOf(
    plan,
    plan.items.map((item) => judged(item, verdict)),
  );

/** What judging depends on besides the plan and the answer. */
export interface Judging {
  /**
   * Shards that the miner was told to drop, or that were replaced, since the inventory was frozen: not to prove these is
   * void, our own doing. Their body hashes stay in the record, so that the miner's signature can be checked without
   * bodies.
   */
  readonly excused?: ReadonlySet<AnchorId>;
  /** Faster hashing, where the runtime has it: it changes nothing but the time. */
  readonly fast?: { readonly rows: RowHasher; readonly sha256: (bytes: Uint8Array) => Uint8Array };
  /** For anchors of type 2: needed as soon as one is asked. */
  readonly zk?: { readonly kernel: () => ZkKernel; readonly random: Random };
}

/** @param answer the miner's whole answer as it came */
export function verifyAnswer(
  verify: VerifySr25519,
  plan: RoundPlan,
  answer: Uint8Array,
  judging: Judging = {},
): Judgement {
  // A wrong total length or an unknown status leaves no item that could be told apart: all are malformed.
  const parsed = parseAnswer(
    answer,
    plan.items.map((item) => item.bodyBytes),
  );
  if (!parsed.ok) return judgeWhole(plan, 'malformed');
  const { signature, items } = parsed.value;

  // Unsigned is malformed: only the miner's own word may say "missing", and only its own bytes may be wrong.
  const hashOf = judging.fast?.sha256 ?? sha256;
  const hashes = items.map((body) => body && hashOf(body));
  const statement = encodeAnswerHashes(plan.requestBytes, hashes);
  if (!verify(statement, signature, publicKeyOf(plan.request.miner))) return judgeWhole(plan, 'malformed');

  const right = rightBodies(plan, items, judging);
  const verdicts = plan.items.map((item, i) => {
    const hash = hashes[i];
    const failed = judging.excused?.has(item.anchorId) ? 'void' : undefined;
    if (!hash) return judged(item, failed ?? 'missing');
    return judged(item, right[i] ? 'passed' : (failed ?? 'wrong'), hash);
  });
  return judgementOf(plan, verdicts, { signature, statement });
}

/** Which of the bodies prove their items; those of type 2 are checked together, in one equation. */
function rightBodies(plan: RoundPlan, bodies: readonly AnswerItem[], { zk, fast }: Judging): readonly boolean[] {
  const zkItems: (ZkItem & { readonly at: number })[] = [];
  const right = plan.items.map(({ anchor, seed, indices }, at) => {
    const body = bodies[at];
    if (!body) return false;
    if (!isZkAnchor(anchor)) return verifyBody(anchor, indices, body, fast?.rows).ok;
    zkItems.push({ at, anchor, seed, indices, body });
    return false;
  });
  if (zkItems.length === 0) return right;
  invariant(zk, 'who judges anchors of type 2 has their kernel');
  verifyPossessions(zk.kernel(), zk.random, zkItems).forEach((verified, i) => {
    right[(zkItems[i] as (typeof zkItems)[number]).at] = verified.ok;
  });
  return right;
}
