/**
 * A stream into a file that appears under its name only when all of it is there: written beside it under another name,
 * on the disk, then renamed. Nothing is left behind when it ends early.
 */
import { randomBytes } from 'node:crypto';
import { link, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CommandFailed } from './command-failed.ts';
import { EXIT } from './exit-codes.ts';

export interface ReceiveOptions {
  /** Replace what is there. */
  readonly force: boolean;
  readonly signal: AbortSignal;
  /** Permission bits; default: what the process gives new files. */
  readonly mode?: number | undefined;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

export const existsFailure = (path: string): CommandFailed =>
  new CommandFailed(
    'exists',
    `${path} exists and is not replaced`,
    EXIT.refused,
    '--force replaces it; -o writes elsewhere',
  );

/** Bytes written. The stream's own error is what it rejects with. */
export async function receiveFile(
  stream: ReadableStream<Uint8Array>,
  path: string,
  { force, signal, mode }: ReceiveOptions,
): Promise<number> {
  // A name of 255 bytes leaves no room for more: the draft's name does not contain it.
  const draft = join(dirname(path), `.filetao-${randomBytes(8).toString('hex')}`);
  const file = await open(draft, 'wx', mode ?? 0o666);
  let bytes = 0;
  try {
    try {
      for await (const piece of stream) {
        signal.throwIfAborted();
        for (let at = 0; at < piece.length; ) at += (await file.write(piece, at)).bytesWritten;
        bytes += piece.length;
      }
      if (mode !== undefined) await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    // Unlike a rename, a link never replaces what came to be there meanwhile.
    if (force) await rename(draft, path);
    else await link(draft, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw existsFailure(basename(path));
    throw error;
  } finally {
    await unlink(draft).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  }
  return bytes;
}

/** A stream to standard output, as fast as it is read. */
export async function receiveToStream(stream: ReadableStream<Uint8Array>, out: NodeJS.WritableStream): Promise<number> {
  let bytes = 0;
  for await (const piece of stream) {
    bytes += piece.length;
    if (!out.write(piece)) await new Promise<void>((drained) => out.once('drain', drained));
  }
  return bytes;
}
