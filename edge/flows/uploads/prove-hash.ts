/**
 * The file's SHA-256 from what each part says of it. A part whose state before is not the state that the part before it
 * gave (parts came at once, or a client was wrong) is read back from its miners and hashed, a stretch at a time: what
 * was found out stays with the part, and the next call goes on from there. So a CID is committed only if this edge, or
 * another of the same tenant, has hashed every byte of it in order. Called by `complete-upload.ts`.
 */
import { reachMiners } from '#edge/flows/reach-miners.ts';
import { fetchFailure } from '#edge/flows/retrieve-file.ts';
import { type EdgeResult, refuse } from '#edge/http/problem.ts';
import { LEAST_TRANSFER_BYTES } from '#edge/network/admission.ts';
import type { EdgePorts } from '#edge/ports.ts';
import { segmentLength } from '#shared/codec/segment.ts';
import { Sha256Chain, sha256Start } from '#shared/codec/sha256-chain.ts';
import type { PartRecord, UploadSession } from '#shared/index/upload-ports.ts';
import { equalBytes } from '#shared/primitives/bytes.ts';
import { succeed } from '#shared/primitives/failure.ts';
import { firstSegmentOf, offsetOf } from './part-plan.ts';

/** One call reads back no more than this and a part: seconds of CPU, where a Worker has 30 by default. */
const READ_BACK_BYTES = 256 * 1024 * 1024;
/** And no longer than this and a part: nobody waits for an answer much longer. */
const READ_BACK_MS = 20_000;

/** The digest; or, while there is more to read, how many bytes of the file are hashed. */
export type Proof = { readonly digest: Uint8Array } | { readonly provenBytes: number };

/** @param parts all of the file's parts, in order and of the right lengths */
export async function proveHash(
  ports: EdgePorts,
  session: UploadSession,
  parts: readonly PartRecord[],
  signal: AbortSignal,
): Promise<EdgeResult<Proof>> {
  const startedAtMs = ports.clock.nowMs();
  let state = sha256Start();
  let readBytes = 0;
  for (const part of parts) {
    if (part.chain && equalBytes(part.chain.before, state)) {
      state = part.chain.after;
      continue;
    }
    if (readBytes >= READ_BACK_BYTES || (readBytes > 0 && ports.clock.nowMs() - startedAtMs > READ_BACK_MS)) {
      return succeed({ provenBytes: offsetOf(session, part.number) });
    }
    const after = await hashPart(ports, session, part, state, signal);
    if (!after.ok) return after;
    await ports.uploads.chainPart(session, { ...part, chain: { before: state, after: after.value } });
    state = after.value;
    readBytes += part.bytes;
  }
  const last = parts.at(-1);
  // After a short part the state is the digest already; else the file ends with a whole one.
  const whole = last?.bytes === session.partBytes;
  const bytes = last ? offsetOf(session, last.number) + last.bytes : 0;
  return succeed({ digest: whole ? new Sha256Chain(ports.transfer.kernel, state, bytes).digest() : state });
}

/** Reads a part back and answers what its chain ends with. */
async function hashPart(
  ports: EdgePorts,
  session: UploadSession,
  part: PartRecord,
  before: Uint8Array,
  signal: AbortSignal,
): Promise<EdgeResult<Uint8Array>> {
  const records = await ports.uploads.readPart(session, part.number, part.attempt);
  if (!records) return refuse('parts-mismatch', `part ${part.number} was sent again meanwhile`);
  const [secret, reached] = await Promise.all([ports.maskSecrets.forReading(session.maskEpoch), reachMiners(ports)]);
  if (!secret.ok) return secret;
  if (!reached.ok) return reached;
  const claim = await ports.admission.claim(LEAST_TRANSFER_BYTES, ports.clock, signal);
  if (!claim) return refuse('overloaded', 'this edge has too many transfers under way; try again shortly');
  const chain = new Sha256Chain(ports.transfer.kernel, before, offsetOf(session, part.number));
  try {
    const { number, fileId, k, n, codingId, maskEpoch } = session;
    const request = {
      coding: { number, fileId, k, n, codingId, maskEpoch, maskSecret: secret.value },
      peers: new Map(reached.value.map((peer) => [peer.number, peer])),
      budget: ports.newBudget(claim.bytes),
      signal,
    };
    const first = firstSegmentOf(session, part.number);
    const segments = records.map((record, index) => {
      return { index: first + index, bytes: segmentLength(part.bytes, session.segmentBytes, index), record };
    });
    for await (const fetched of ports.fetchSegments(ports.transfer, request, segments, () => undefined)) {
      if (!fetched.ok) return { ok: false, failure: fetchFailure(fetched.failure) };
      chain.update(fetched.value.bytes);
      fetched.value.release();
      claim.renew();
    }
  } finally {
    claim.release();
  }
  const after = part.bytes === session.partBytes ? chain.state() : chain.digest();
  if (!after) throw new Error('invariant broken: a whole part ends between two blocks');
  return succeed(after);
}
