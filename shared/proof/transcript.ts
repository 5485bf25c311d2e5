/**
 * Verdicts and the transcript chain of one (validator, miner) pair (por/v1 §7): order of rounds, and evidence against
 * a fork. Item by item, then once over the round's request and answer.
 */
import { ByteWriter } from '#shared/primitives/bytes.ts';
import { invariant } from '#shared/primitives/failure.ts';
import { sha256 } from '#shared/primitives/sha256.ts';

/**
 * In wire order, 0 to 5. `passed`, `wrong` and `missing` carry the miner's signature and prove something; `silent` and
 * `malformed` are the validator's word; `void` is our own fault and costs nobody.
 */
export const VERDICTS = ['silent', 'passed', 'wrong', 'missing', 'malformed', 'void'] as const;
export type Verdict = (typeof VERDICTS)[number];

export const verdictCode = (verdict: Verdict): number => VERDICTS.indexOf(verdict);

/** H of the empty string: stands for a body that is not there. */
export const EMPTY_HASH: Uint8Array = sha256(new Uint8Array(0));

/** Only these are said about a body; for every other verdict the hash of the empty string stands in its place. */
const saysBody = (verdict: Verdict): boolean => verdict === 'passed' || verdict === 'wrong';

/** H("filetao/por/v1/transcript\0" ‖ prev₃₂ ‖ seed₃₂ ‖ u8 verdict ‖ H(body)₃₂). */
export function chainItem(prev: Uint8Array, seed: Uint8Array, verdict: Verdict, bodyHash: Uint8Array): Uint8Array {
  const preimage = new ByteWriter(160)
    .tag('filetao/por/v1/transcript')
    .fixed(prev, 32)
    .fixed(seed, 32)
    .u8(verdictCode(verdict))
    .fixed(saysBody(verdict) ? bodyHash : EMPTY_HASH, 32);
  return sha256(preimage.finish());
}

export interface TranscriptItem {
  readonly seed: Uint8Array;
  readonly verdict: Verdict;
  readonly bodyHash: Uint8Array;
}

/**
 * H("filetao/por/v1/round\0" ‖ last item's transcript₃₂ ‖ H(request)₃₂ ‖ H(the answer's signed bytes)₃₂).
 * @param request the request statement, without its signature
 * @param signedAnswer the bytes that the miner signed, or undefined unless its signature over them holds
 */
export function roundTranscript(
  prevTranscript: Uint8Array,
  items: readonly TranscriptItem[],
  request: Uint8Array,
  signedAnswer: Uint8Array | undefined,
): Uint8Array {
  invariant(prevTranscript.length === 32, 'a transcript has 32 bytes');
  let last = prevTranscript;
  for (const { seed, verdict, bodyHash } of items) last = chainItem(last, seed, verdict, bodyHash);
  const preimage = new ByteWriter(128)
    .tag('filetao/por/v1/round')
    .fixed(last, 32)
    .fixed(sha256(request), 32)
    .fixed(signedAnswer ? sha256(signedAnswer) : EMPTY_HASH, 32);
  return sha256(preimage.finish());
}
