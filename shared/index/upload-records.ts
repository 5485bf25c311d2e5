/**
 * Upload sessions as the index keeps them. A session and its completion are JSON, since there are few of them and their
 * fields grow; a part is packed, since there may be thousands:
 *
 *   part   u16 number ‖ u16 attempt ‖ u48 bytes ‖ u32 lost ‖ SHA-256₃₂ ‖ [state before₃₂ ‖ state after₃₂]   base64
 *
 * Parsers refuse with undefined and never guess.
 */
import { z } from 'zod';
import { parseCid } from '#shared/codec/cid.ts';
import { ByteReader, ByteWriter, fromBase64, fromHex, toBase64, toHex } from '#shared/primitives/bytes.ts';
import {
  type Cid,
  type FileId,
  type FileNumber,
  type OwnerId,
  parseOrderId,
  parseOwnerId,
} from '#shared/primitives/ids.ts';
import type { PartRecord, UploadCompletion, UploadEnd, UploadSession } from './upload-ports.ts';

const PLAIN_BYTES = 46;
const CHAINED_BYTES = PLAIN_BYTES + 64;
const ABORTED = 'x';

const Count = z.int().min(0);
const CidText = z
  .string()
  .refine((text) => parseCid(text) !== undefined)
  .transform((text) => text as Cid);

const Session = z.object({
  fileId: z
    .string()
    .refine((text) => parseOrderId(text) !== undefined)
    .transform((text) => text as FileId),
  owner: z
    .string()
    .refine((text) => parseOwnerId(text) !== undefined)
    .transform((text) => text as OwnerId),
  codingId: z
    .string()
    .refine((text) => fromHex(text, 16) !== undefined)
    .transform((text) => fromHex(text, 16) ?? z.NEVER),
  maskEpoch: Count,
  k: z.int().min(1),
  n: z.int().min(1),
  segmentBytes: z.int().min(1),
  partBytes: z.int().min(1),
  openedAtMs: Count,
  endsAtMs: Count,
  ttlMs: Count,
  name: z.string().exactOptional(),
  contentType: z.string().exactOptional(),
  bytes: Count.exactOptional(),
  cid: CidText.exactOptional(),
});

const Completion = z.object({
  cid: CidText,
  bytes: Count,
  createdAtMs: Count,
  expiresAtMs: Count,
  attempts: z.array(Count),
});

export const packSession = ({ number: _, codingId, ...session }: UploadSession): string =>
  JSON.stringify({ ...session, codingId: toHex(codingId) });

export function parseSession(number: FileNumber, text: string): UploadSession | undefined {
  const parsed = Session.safeParse(parseJson(text));
  return parsed.success ? { ...parsed.data, number } : undefined;
}

export const packEnd = (end: UploadEnd): string => (end === 'aborted' ? ABORTED : JSON.stringify(end));

export function parseEnd(text: string): UploadEnd | undefined {
  if (text === ABORTED) return 'aborted';
  const parsed = Completion.safeParse(parseJson(text));
  return parsed.success ? (parsed.data satisfies UploadCompletion) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function packPart(part: PartRecord): string {
  const writer = new ByteWriter(CHAINED_BYTES).u16(part.number).u16(part.attempt);
  writer.u16(Math.floor(part.bytes / 2 ** 32)).u32(part.bytes % 2 ** 32);
  writer.u32(part.lost).fixed(part.hash, 32);
  if (part.chain) writer.fixed(part.chain.before, 32).fixed(part.chain.after, 32);
  return toBase64(writer.finish());
}

export function parsePart(text: string): PartRecord | undefined {
  const bytes = fromBase64(text);
  if (bytes?.length !== PLAIN_BYTES && bytes?.length !== CHAINED_BYTES) return undefined;
  const reader = new ByteReader(bytes);
  const [number, attempt] = [reader.u16(), reader.u16()];
  const length = reader.u16() * 2 ** 32 + reader.u32();
  const part = { number, attempt, bytes: length, lost: reader.u32(), hash: reader.bytes(32).slice() };
  if (number === 0) return undefined;
  if (reader.remaining === 0) return part;
  return { ...part, chain: { before: reader.bytes(32).slice(), after: reader.bytes(32).slice() } };
}
