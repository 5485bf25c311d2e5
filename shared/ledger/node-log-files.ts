/**
 * The ledger's append-only files on disk, for reading: `NAME-00000001.log` and so on, each a row of frames
 * (`log-frames.ts`). Read by the validator when it opens them and by exports, also while the validator appends.
 */
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { concatBytes } from '#shared/primitives/bytes.ts';
import { type LogFrame, MAX_FRAME_BYTES, readFrames } from './log-frames.ts';

export const LEDGER_FOLDER = 'ledger';
/** What is kept in files of its own: signed records, answers as they came, store receipts, drop orders with theirs. */
export type LogName = 'records' | 'answers' | 'receipts' | 'drops';

const READ_BYTES = 1024 * 1024;

export const logFile = (folder: string, name: LogName, number: number): string =>
  join(folder, `${name}-${String(number).padStart(8, '0')}.log`);

/** Numbers of a log's files, oldest first; a folder that is not there has none. */
export async function logNumbers(folder: string, name: LogName): Promise<readonly number[]> {
  const pattern = new RegExp(`^${name}-([0-9]{8})\\.log$`);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .flatMap((file) => pattern.exec(file)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** Every whole frame of a file; returns where they end. Payloads are the caller's own. */
export async function* framesOf(file: string): AsyncGenerator<LogFrame, number, undefined> {
  const handle = await open(file, 'r');
  try {
    let at = 0;
    let rest: Uint8Array = new Uint8Array(0);
    for (;;) {
      const piece = await readPiece(handle, at + rest.length);
      const bytes = piece.length === 0 ? rest : concatBytes(rest, piece);
      const { frames, end } = readFrames(bytes, at);
      yield* frames;
      rest = bytes.subarray(end - at);
      at = end;
      // Nothing more comes, or what stands here is no frame.
      if (piece.length === 0 || rest.length > MAX_FRAME_BYTES) return end;
    }
  } finally {
    await handle.close();
  }
}

async function readPiece(handle: FileHandle, at: number): Promise<Uint8Array> {
  const piece = new Uint8Array(READ_BYTES);
  const { bytesRead } = await handle.read(piece, 0, READ_BYTES, at);
  return piece.subarray(0, bytesRead);
}

export interface LogEntry extends LogFrame {
  readonly file: number;
}

/** Every entry of a log, oldest first. A file that was removed meanwhile is passed over. */
export async function* logEntries(folder: string, name: LogName): AsyncGenerator<LogEntry, void, undefined> {
  for (const file of await logNumbers(folder, name)) {
    try {
      for await (const frame of framesOf(logFile(folder, name, file))) yield { file, ...frame };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** One entry again, by where it was; undefined when its file is gone. */
export async function entryAt(
  folder: string,
  name: LogName,
  { file, at, bytes }: { readonly file: number; readonly at: number; readonly bytes: number },
): Promise<Uint8Array | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(logFile(folder, name, file), 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const frame = new Uint8Array(bytes + 8);
    const { bytesRead } = await handle.read(frame, 0, frame.length, at);
    return readFrames(frame.subarray(0, bytesRead)).frames[0]?.payload;
  } finally {
    await handle.close();
  }
}
