/**
 * Stores one file: quota, intent, segments on miners, manifest. The first segment is read before anything is written,
 * so that a file of one segment is known whole (its CID, its size) when its redundancy is chosen, and bytes that the
 * owner has already cost nothing. Called once for a raw body and once for each part of a form.
 *
 * Success is said only after the index switched to the whole manifest; whatever fails before leaves an intent that is
 * abandoned here or, if this isolate dies, found by collection.
 */

import { BodyRefused } from '#edge/body/body-refused.ts';
import { bodySegments } from '#edge/body/body-segments.ts';
import { type EdgeResult, refuse } from '#edge/http/problem.ts';
import { type Claim, LEAST_TRANSFER_BYTES } from '#edge/network/admission.ts';
import type { EdgePorts, StreamingDigest } from '#edge/ports.ts';
import { cidOf } from '#shared/codec/cid.ts';
import { SEGMENT_BYTES } from '#shared/codec/segment.ts';
import { succeed } from '#shared/primitives/failure.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { MAX_ZK_FILE_BYTES } from '#shared/wire/limits.ts';
import { chooseRedundancy } from './choose-redundancy.ts';
import { keepLongest } from './keep-longest.ts';
import { reachMiners } from './reach-miners.ts';
import { sendSegments } from './send-segments.ts';
import { type StoredFile, type Upload, uploadBudgetFor, wrongCid } from './upload.ts';

const tooLarge = (limitBytes: number, zk = false) => {
  const which = zk ? 'files with proof=zk have at most' : 'files may have at most';
  const instead = zk ? '; larger ones are stored without it, with proof=por' : ' here';
  return [`${which} ${limitBytes} bytes${instead}`, { limitBytes }] as const;
};
const overQuota = (quotaBytes: number, usedBytes: number) =>
  [`${usedBytes} of ${quotaBytes} bytes are used`, { quotaBytes, usedBytes }] as const;

/** Each shard byte is committed to here, 4 MB a second: this much is 2 s of the request's processor time. */
const MAX_ZK_SHARDS_BYTES = 8 * 2 ** 20;

export async function storeFile(ports: EdgePorts, input: Upload): Promise<EdgeResult<StoredFile>> {
  const { owner, expectedBytes, announcedCid } = input;
  const maxFileBytes = input.zk
    ? Math.min(MAX_ZK_FILE_BYTES, ports.settings.maxFileBytes)
    : ports.settings.maxFileBytes;
  if (expectedBytes !== undefined && expectedBytes > maxFileBytes)
    return refuse('too-large', ...tooLarge(maxFileBytes, input.zk));
  const [had, usage] = await Promise.all([
    announcedCid ? ports.files.findFile(announcedCid, owner) : undefined,
    ports.files.usage(owner),
  ]);
  if (had) return succeed({ file: await keepLongest(ports, had, input), created: false });
  const { quotaBytes, usedBytes } = { quotaBytes: usage.quotaBytes, usedBytes: usage.bytes };
  const freeBytes = Math.max(0, quotaBytes - usedBytes);
  if (expectedBytes !== undefined && expectedBytes > freeBytes) {
    return refuse('over-quota', ...overQuota(quotaBytes, usedBytes));
  }

  const claim = await ports.admission.claim(uploadBudgetFor(expectedBytes), ports.clock, input.signal);
  if (!claim) return refuse('overloaded', 'this edge has too many transfers under way; try again shortly');
  try {
    const digest = ports.newSha256();
    const limits = {
      segmentBytes: SEGMENT_BYTES,
      expectedBytes,
      maxBytes: Math.min(maxFileBytes, freeBytes),
      overMax: () =>
        freeBytes < maxFileBytes
          ? new BodyRefused('over-quota', ...overQuota(quotaBytes, usedBytes))
          : new BodyRefused('too-large', ...tooLarge(maxFileBytes, input.zk)),
    };
    const segments = bodySegments(input.source, limits, (piece) => {
      digest.update(piece);
      claim.renew();
    });
    return await storeSegmentsOf(ports, input, segments, digest, claim);
  } catch (error) {
    if (error instanceof BodyRefused) return { ok: false, failure: error.failure };
    throw error;
  } finally {
    claim.release();
  }
}

/** The body from its first segment on. */
async function storeSegmentsOf(
  ports: EdgePorts,
  input: Upload,
  segments: AsyncGenerator<Uint8Array, void, undefined>,
  digest: StreamingDigest,
  claim: Claim,
): Promise<EdgeResult<StoredFile>> {
  const first = await segments.next();
  if (first.done) throw new Error('invariant broken: every file has a segment');
  // A short first segment is the last one: bodySegments saw the end.
  const whole = first.value.length < SEGMENT_BYTES || first.value.length === input.expectedBytes;
  let cid: Cid | undefined;
  if (whole) {
    // Runs the length check of a body that ends exactly here.
    const after = await segments.next();
    if (!after.done) throw new Error('invariant broken: a short segment is the last one');
    cid = cidOf(digest.finish());
    if (input.announcedCid && cid !== input.announcedCid) return wrongCid(cid, input.announcedCid);
    const had = await ports.files.findFile(cid, input.owner);
    if (had) return succeed({ file: await keepLongest(ports, had, input), created: false });
  }
  const reached = await reachMiners(ports);
  if (!reached.ok) return reached;
  const peers = reached.value;
  const bytes = whole ? first.value.length : undefined;
  const redundancy = chooseRedundancy(peers, bytes, input.redundancy);
  if (!redundancy.ok) return redundancy;
  const { k, n } = redundancy.value;
  if (input.zk && (n / k) * first.value.length > MAX_ZK_SHARDS_BYTES) {
    return refuse('unsupported-redundancy', `proof=zk of ${n} / ${k} times ${first.value.length} bytes is too much`);
  }

  const source = prepend(first.value, segments);
  return await sendSegments(ports, input, {
    redundancy: redundancy.value,
    peers,
    source,
    expectedBytes: bytes ?? input.expectedBytes,
    budgetBytes: Math.max(claim.bytes, LEAST_TRANSFER_BYTES),
    cidOfAll: () => cid ?? cidOf(digest.finish()),
  });
}

async function* prepend(
  first: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield first;
  yield* rest;
}
