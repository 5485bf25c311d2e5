/**
 * Opens an upload session: everything that must be the same for all of its parts is decided here, whoever takes them.
 * Bytes that the owner has already need no session. Called by the upload routes; an S3 or tus door would call it too.
 */

import { chooseRedundancy } from '#edge/flows/choose-redundancy.ts';
import { keepLongest } from '#edge/flows/keep-longest.ts';
import { reachMiners } from '#edge/flows/reach-miners.ts';
import { type EdgeResult, refuse } from '#edge/http/problem.ts';
import type { EdgePorts } from '#edge/ports.ts';
import { MAX_PARTS } from '#shared/api/upload-schemas.ts';
import type { Redundancy } from '#shared/codec/redundancy.ts';
import type { FileRecord } from '#shared/index/ports.ts';
import type { UploadSession } from '#shared/index/upload-ports.ts';
import { succeed } from '#shared/primitives/failure.ts';
import { type Cid, newFileId, type OwnerId } from '#shared/primitives/ids.ts';
import { newCodingId } from '#shared/proof/mask.ts';
import type { ProblemCode } from '#shared/wire/problem.ts';
import {
  defaultPartBytes,
  MAX_OPEN_UPLOADS,
  MIN_PART_BYTES,
  maxPartBytes,
  PART_UNIT_BYTES,
  segmentBytesFor,
} from './part-plan.ts';

export interface NewUpload {
  readonly owner: OwnerId;
  readonly name?: string | undefined;
  readonly contentType?: string | undefined;
  /** 0: until deleted. */
  readonly ttlMs: number;
  readonly redundancy?: Redundancy | undefined;
  readonly bytes?: number | undefined;
  readonly cid?: Cid | undefined;
  readonly partBytes?: number | undefined;
}

/** Arguments of a refusal that may become one later. */
type Refusal = readonly [ProblemCode, string, Readonly<Record<string, unknown>>];

export type OpenedUpload = { readonly had: FileRecord } | { readonly session: UploadSession };

export async function openUpload(ports: EdgePorts, asked: NewUpload): Promise<EdgeResult<OpenedUpload>> {
  const { owner, bytes, cid, name, contentType, ttlMs } = asked;
  const nowMs = ports.clock.nowMs();
  const had = cid && (await ports.files.findFile(cid, owner));
  if (had) {
    const wanted = { expiresAtMs: ttlMs === 0 ? 0 : nowMs + ttlMs, name };
    return succeed({ had: await keepLongest(ports, had, wanted) });
  }
  const fits = await checkRoom(ports, owner, bytes ?? 0);
  if (!fits.ok) return fits;
  const reached = await reachMiners(ports);
  if (!reached.ok) return reached;
  const redundancy = chooseRedundancy(reached.value, bytes, asked.redundancy);
  if (!redundancy.ok) return redundancy;
  const partBytes = choosePartBytes(asked.partBytes, bytes, redundancy.value.n);
  if (!partBytes.ok) return partBytes;
  // A secret that is not the index's is found out before anything is sent.
  const secret = await ports.maskSecrets.forStoring();
  if (!secret.ok) return secret;
  const session = await ports.uploads.openUpload(
    {
      ...{ fileId: newFileId(ports.random), owner, codingId: newCodingId(ports.random) },
      ...{ maskEpoch: ports.maskSecrets.newestEpoch, ...redundancy.value },
      ...{ segmentBytes: segmentBytesFor(partBytes.value), partBytes: partBytes.value },
      ...{ openedAtMs: nowMs, endsAtMs: nowMs + ports.settings.uploadSessionMs, ttlMs },
      ...(name !== undefined && { name }),
      ...(contentType !== undefined && { contentType }),
      ...(bytes !== undefined && { bytes }),
      ...(cid !== undefined && { cid }),
    },
    MAX_OPEN_UPLOADS,
  );
  if (session) return succeed({ session });
  return refuse('too-many-uploads', `an account may have ${MAX_OPEN_UPLOADS} uploads open; complete or abort one`);
}

/** Whether a file of so many bytes may become the owner's; and with how many bytes at most it may. */
export async function checkRoom(
  ports: Pick<EdgePorts, 'files' | 'settings'>,
  owner: OwnerId,
  bytes: number,
): Promise<EdgeResult<{ readonly mostBytes: number; readonly overMost: Refusal }>> {
  const { maxFileBytes } = ports.settings;
  const tooLarge: Refusal = [
    'too-large',
    `files may have at most ${maxFileBytes} bytes here`,
    { limitBytes: maxFileBytes },
  ];
  if (bytes > maxFileBytes) return refuse(...tooLarge);
  const { quotaBytes, bytes: usedBytes } = await ports.files.usage(owner);
  const overQuota: Refusal = ['over-quota', `${usedBytes} of ${quotaBytes} bytes are used`, { quotaBytes, usedBytes }];
  const freeBytes = quotaBytes - usedBytes;
  if (bytes > freeBytes) return refuse(...overQuota);
  return succeed({
    mostBytes: Math.min(maxFileBytes, freeBytes),
    overMost: freeBytes < maxFileBytes ? overQuota : tooLarge,
  });
}

function choosePartBytes(asked: number | undefined, bytes: number | undefined, n: number): EdgeResult<number> {
  const most = maxPartBytes(n);
  const partBytes = asked ?? Math.min(most, defaultPartBytes(bytes));
  const limits = { leastBytes: MIN_PART_BYTES, mostBytes: most, unitBytes: PART_UNIT_BYTES, parts: MAX_PARTS };
  if (partBytes < MIN_PART_BYTES || partBytes > most || partBytes % PART_UNIT_BYTES !== 0) {
    const text = `partBytes must be a multiple of ${PART_UNIT_BYTES} between ${MIN_PART_BYTES} and ${most}`;
    return refuse('bad-request', text, limits);
  }
  if (bytes !== undefined && bytes > partBytes * MAX_PARTS) {
    return refuse('bad-request', `${bytes} bytes are more than ${MAX_PARTS} parts of ${partBytes}`, limits);
  }
  return succeed(partBytes);
}
