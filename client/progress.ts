/** Progress of a transfer, counted in the file's own bytes: what the reader of a bar thinks in. */
import { watching } from './file-digest.ts';

export interface Progress {
  /** The file's bytes so far (of a private file: before encryption). */
  readonly bytes: number;
  /** Absent where the length is not known before the end. */
  readonly totalBytes?: number;
}
export type OnProgress = (progress: Progress) => void;

/** Counts what passes. */
export function counted(
  stream: ReadableStream<Uint8Array>,
  totalBytes: number | undefined,
  onProgress: OnProgress | undefined,
): ReadableStream<Uint8Array> {
  if (!onProgress) return stream;
  const total = totalBytes === undefined ? {} : { totalBytes };
  let bytes = 0;
  onProgress({ bytes, ...total });
  return stream.pipeThrough(
    watching((piece) => {
      bytes += piece.length;
      onProgress({ bytes, ...total });
    }),
  );
}
