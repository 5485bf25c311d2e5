/**
 * Frames of an append-only file of the ledger: what the validator appends (`validator/ledger/append-log.ts`) and
 * exports read (`node-log-files.ts`). A crash in the middle of an append leaves a torn end, which a reader stops at and
 * the writer cuts off.
 *
 *   frame   u32 bytes   check₄ = the first 4 bytes of H(payload)   payload
 */
import { ByteWriter, equalBytes } from '#shared/primitives/bytes.ts';
import { sha256 } from '#shared/primitives/sha256.ts';

export const FRAME_HEAD_BYTES = 8;
const CHECK_BYTES = 4;
/** A sweep's answer has about 700 KB; more than this is no frame of ours. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

const checkOf = (payload: Uint8Array): Uint8Array => sha256(payload).subarray(0, CHECK_BYTES);

export const encodeFrame = (payload: Uint8Array): Uint8Array =>
  new ByteWriter(FRAME_HEAD_BYTES + payload.length).u32(payload.length).bytes(checkOf(payload)).bytes(payload).finish();

export interface LogFrame {
  /** Where it starts in the file. */
  readonly at: number;
  readonly payload: Uint8Array;
}

/**
 * The whole frames at the start of `bytes`, views of it, and where they end.
 * @param base position of `bytes` in its file
 */
export function readFrames(
  bytes: Uint8Array,
  base = 0,
): { readonly frames: readonly LogFrame[]; readonly end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const frames: LogFrame[] = [];
  let at = 0;
  while (at + FRAME_HEAD_BYTES <= bytes.length) {
    const length = view.getUint32(at);
    const from = at + FRAME_HEAD_BYTES;
    if (length > MAX_FRAME_BYTES || from + length > bytes.length) break;
    const payload = bytes.subarray(from, from + length);
    if (!equalBytes(checkOf(payload), bytes.subarray(at + 4, from))) break;
    frames.push({ at: base + at, payload });
    at = from + length;
  }
  return { frames, end: base + at };
}
