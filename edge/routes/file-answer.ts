/** An index record as the JSON that owners see (`shared/api/schemas.ts`). */
import { proofOf } from '#shared/api/proof-of.ts';
import type { FileAnswer } from '#shared/api/schemas.ts';
import type { FileRecord } from '#shared/index/ports.ts';

export const isoTime = (ms: number): string => new Date(ms).toISOString();

export function fileAnswer(file: FileRecord): FileAnswer {
  return {
    cid: file.cid,
    fileId: file.fileId,
    bytes: file.bytes,
    segments: file.segments,
    redundancy: { k: file.k, n: file.n },
    proof: proofOf(file),
    createdAt: isoTime(file.createdAtMs),
    expiresAt: file.expiresAtMs === 0 ? null : isoTime(file.expiresAtMs),
    ...(file.name === undefined ? {} : { name: file.name }),
    ...(file.contentType === undefined ? {} : { contentType: file.contentType }),
  };
}
