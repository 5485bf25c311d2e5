/**
 * A file's record as text. Base64 in groups, so that the changing block can be replaced in place (characters 4–23):
 *
 *   0    u8 version(1) ‖ u16 bytes of the record
 *   3    u48 expiresAtMs ‖ u32 lost ‖ u32 dropped ‖ u8 flags(1 settled)             the changing block
 *   18   fileId₁₆ ‖ owner₃₂ ‖ CID digest₃₂ ‖ codingId₁₆
 *   114  u48 bytes ‖ u8 k ‖ u8 n−1 ‖ u32 segmentBytes ‖ u16 maskEpoch ‖ u48 createdAtMs
 *   134  u8 parts(1 name, 2 content type, 4 the inline segment's hash is the CID's digest, 8 the name was given later,
 *        16 anchors of type 2)
 *   135  [u8 bytes, content type] [u48 when the name was given, if not at createdAtMs] [name]
 *
 * Of a file with one segment the segment's text follows, without its hash where that is the CID's digest. `lost` and
 * `dropped` count slots in these states, so that a deletion's progress is known without reading every segment.
 */
import { cidOf, parseCid } from '#shared/codec/cid.ts';
import { segmentCount } from '#shared/codec/segment.ts';
import { ByteReader, ByteWriter, equalBytes, fromBase64, toBase64, utf8 } from '#shared/primitives/bytes.ts';
import { type FileId, type FileNumber, hexId, idBytes, type OwnerId } from '#shared/primitives/ids.ts';
import { ZK_ANCHOR_TYPE } from '#shared/proof/zk/zk-anchor.ts';
import type { FileRecord, SegmentRecord } from './ports.ts';
import { packSegment, parseSegment, SEGMENT_HEAD_CHARS } from './records.ts';

const VERSION = 1;
const HEAD_BYTES = 3;
export const CHANGING_BYTES = 15;
/** Where the changing block stands in the text. */
export const CHANGING_OFFSET = 4;
/** Longest name in UTF-8 (four of the longest file names Linux allows) and longest content type. */
export const MAX_NAME_BYTES = 1024;
export const MAX_CONTENT_TYPE_BYTES = 255;
const HAS_NAME = 1;
const HAS_TYPE = 2;
const HASH_IS_CID = 4;
const NAMED_LATER = 8;
const IS_ZK = 16;
const ALL_PARTS = 31;
const SETTLED = 1;

/** What may change in a record without rewriting it. */
export interface Changing {
  readonly expiresAtMs: number;
  readonly lost: number;
  readonly dropped: number;
  readonly settled: boolean;
}

export interface StoredFile {
  readonly file: FileRecord;
  readonly changing: Changing;
  /** When the file was given its name; of a file without one, when it was created. */
  readonly namedAtMs: number;
  /** The one segment of a file that has one. */
  readonly inline?: SegmentRecord;
  /** Characters before the inline segment's first slot. */
  readonly slotsOffset: number;
}

function writeChanging(writer: ByteWriter, changing: Changing): ByteWriter {
  writer.u16(Math.floor(changing.expiresAtMs / 2 ** 32)).u32(changing.expiresAtMs % 2 ** 32);
  return writer
    .u32(changing.lost)
    .u32(changing.dropped)
    .u8(changing.settled ? SETTLED : 0);
}

export const packChanging = (changing: Changing): string =>
  toBase64(writeChanging(new ByteWriter(CHANGING_BYTES), changing).finish());

const u48 = (writer: ByteWriter, value: number): ByteWriter =>
  writer.u16(Math.floor(value / 2 ** 32)).u32(value % 2 ** 32);
const readU48 = (reader: ByteReader): number => reader.u16() * 2 ** 32 + reader.u32();

/**
 * @param inline the segment of a file that has one
 * @param namedAtMs when the name was given
 * @throws RangeError when a field does not fit: the caller should have refused it
 */
export function packFile(
  file: FileRecord,
  changing: Changing,
  inline?: SegmentRecord,
  namedAtMs = file.createdAtMs,
): string {
  const name = file.name === undefined ? undefined : utf8(file.name);
  const type = file.contentType === undefined ? undefined : utf8(file.contentType);
  if (name && name.length > MAX_NAME_BYTES) throw new RangeError(`a name has at most ${MAX_NAME_BYTES} bytes`);
  if (type && type.length > MAX_CONTENT_TYPE_BYTES) {
    throw new RangeError(`a content type has at most ${MAX_CONTENT_TYPE_BYTES} bytes`);
  }
  if (file.segments !== segmentCount(file.bytes, file.segmentBytes)) {
    throw new RangeError(`${file.bytes} bytes are not ${file.segments} segments of ${file.segmentBytes}`);
  }
  const digest = parseCid(file.cid)?.digest;
  if (!digest) throw new RangeError('not a CID of a file (v1, raw, sha2-256)');
  const hashIsCid = inline !== undefined && equalBytes(inline.hash, digest);
  const body = writeChanging(new ByteWriter(256), changing);
  body.fixed(idBytes(file.fileId), 16).fixed(idBytes(file.owner), 32).fixed(digest, 32).fixed(file.codingId, 16);
  u48(body, file.bytes)
    .u8(file.k)
    .u8(file.n - 1)
    .u32(file.segmentBytes)
    .u16(file.maskEpoch);
  u48(body, file.createdAtMs);
  const namedLater = name !== undefined && namedAtMs !== file.createdAtMs;
  body.u8(
    (file.anchorType ? IS_ZK : 0) |
      (name ? HAS_NAME : 0) |
      (type ? HAS_TYPE : 0) |
      (hashIsCid ? HASH_IS_CID : 0) |
      (namedLater ? NAMED_LATER : 0),
  );
  if (type) body.u8(type.length).bytes(type);
  if (namedLater) u48(body, namedAtMs);
  if (name) body.bytes(name);
  const rest = body.finish();
  const head = new ByteWriter(HEAD_BYTES + rest.length)
    .u8(VERSION)
    .u16(HEAD_BYTES + rest.length)
    .bytes(rest);
  return toBase64(head.finish()) + (inline ? packSegment(inline, !hashIsCid) : '');
}

/** The file of a record's text; undefined for anything that `packFile` would not have written. */
export function parseFile(number: FileNumber, text: string): StoredFile | undefined {
  const head = fromBase64(text.slice(0, CHANGING_OFFSET));
  if (head?.length !== HEAD_BYTES || head[0] !== VERSION) return undefined;
  const recordBytes = new ByteReader(head.subarray(1)).u16();
  const recordChars = Math.ceil(recordBytes / 3) * 4;
  const bytes = fromBase64(text.slice(0, recordChars));
  if (bytes?.length !== recordBytes) return undefined;
  const reader = new ByteReader(bytes.subarray(HEAD_BYTES));
  const changing = readChanging(reader);
  const fileId = hexId<FileId>(pad(reader.bytes(16), 16), 16);
  const owner = hexId<OwnerId>(pad(reader.bytes(32), 32), 32);
  const digest = pad(reader.bytes(32), 32);
  const codingId = reader.bytes(16).slice();
  const fileBytes = readU48(reader);
  const [k, n, segmentBytes, maskEpoch] = [reader.u8(), reader.u8() + 1, reader.u32(), reader.u16()];
  const createdAtMs = readU48(reader);
  const parts = reader.u8();
  if (!reader.ok || !changing || parts > ALL_PARTS || k < 1 || k > n || segmentBytes === 0) return undefined;
  const contentType = parts & HAS_TYPE ? decodeText(reader.bytes(reader.u8())) : undefined;
  const namedAtMs = parts & NAMED_LATER ? readU48(reader) : createdAtMs;
  const name = parts & HAS_NAME ? decodeText(reader.bytes(reader.remaining)) : undefined;
  if (!reader.finished || name === null || contentType === null) return undefined;

  const segments = segmentCount(fileBytes, segmentBytes);
  const ownHash = parts & HASH_IS_CID ? digest : undefined;
  const slotsOffset = recordChars + (ownHash ? 0 : SEGMENT_HEAD_CHARS);
  const file: FileRecord = {
    ...{
      number,
      fileId,
      owner,
      cid: cidOf(digest),
      bytes: fileBytes,
      k,
      n,
      segmentBytes,
      segments,
      codingId,
      maskEpoch,
    },
    ...{ createdAtMs, expiresAtMs: changing.expiresAtMs },
    ...(parts & IS_ZK && { anchorType: ZK_ANCHOR_TYPE }),
    ...(name !== undefined && { name }),
    ...(contentType !== undefined && { contentType }),
  };
  const rest = text.slice(recordChars);
  if (segments > 1 || changing.settled) return rest === '' ? { file, changing, namedAtMs, slotsOffset } : undefined;
  const inline = parseSegment(rest, n, ownHash);
  return inline && { file, changing, namedAtMs, inline, slotsOffset };
}

function readChanging(reader: ByteReader): Changing | undefined {
  const changing = { expiresAtMs: readU48(reader), lost: reader.u32(), dropped: reader.u32() };
  const flags = reader.u8();
  return flags <= SETTLED ? { ...changing, settled: flags === SETTLED } : undefined;
}

/** Bytes read past the end come short; the reader then says so, and the caller refuses. */
const pad = (bytes: Uint8Array, width: number): Uint8Array =>
  bytes.length === width ? bytes.slice() : new Uint8Array(width);

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
function decodeText(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
