/**
 * What lets `put` be resumed after kill -9, a lost network or a reboot: a folder for each upload under way in the state
 * folder, named by what is sent from where to where.
 *
 *   source.json    the file, its size and time, the edge: as it was when the upload began
 *   spool          what will be sent: of a private file its ciphertext (a public one is sent from the file itself)
 *   prepared.json  the library's journal entry; there once the spool is whole
 *   upload         the edge's name of the session
 *   pid            whose work it is now
 *
 * A spool that never became whole is thrown away: the next try encrypts anew, with a fresh key.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PreparedUpload } from '#client/resume-upload.ts';
import { readPrivateFile, readPrivateJson, writePrivateFile } from './settings/private-file.ts';

/** Sessions at the edge do not live longer. */
const KEPT_MS = 7 * 24 * 3_600_000;

export interface UploadSource {
  readonly url: string;
  readonly path: string;
  readonly bytes: number;
  readonly mtimeMs: number;
  /** Everything else that makes it another upload: name, privacy, recipients, ttl, owner. */
  readonly options: unknown;
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is one, too.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

export class UploadJournal {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  get spool(): string {
    return join(this.folder, 'spool');
  }

  /** Undefined when another process is at this very upload. */
  static async open(stateFolder: string, source: UploadSource): Promise<UploadJournal | undefined> {
    const uploads = join(stateFolder, 'uploads');
    await mkdir(uploads, { recursive: true, mode: 0o700 });
    await prune(uploads);
    const id = createHash('sha256').update(JSON.stringify(source)).digest('hex').slice(0, 32);
    const journal = new UploadJournal(join(uploads, id));
    await mkdir(journal.folder, { recursive: true, mode: 0o700 });
    if (!(await journal.#take())) return undefined;
    await writePrivateFile(join(journal.folder, 'source.json'), `${JSON.stringify(source)}\n`);
    return journal;
  }

  /** One process at a time; one that died left its pid behind, which counts for nothing. */
  async #take(): Promise<boolean> {
    const [file, mine] = [join(this.folder, 'pid'), join(this.folder, `pid.${process.pid}`)];
    await writePrivateFile(mine, String(process.pid));
    try {
      for (;;) {
        try {
          // Made whole or not at all, and never over another's.
          await link(mine, file);
          return true;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        }
        const pid = Number(await readFile(file, 'utf8').catch(() => '0'));
        if (pid !== process.pid && pid > 0 && isAlive(pid)) return false;
        await unlink(file).catch(() => undefined);
      }
    } finally {
      await unlink(mine).catch(() => undefined);
    }
  }

  /** What an earlier try had ready to send. */
  async prepared(): Promise<PreparedUpload | undefined> {
    return readPrivateJson(join(this.folder, 'prepared.json'), (json) => {
      const parsed = PreparedUpload.safeParse(json);
      return parsed.success ? parsed.data : undefined;
    });
  }

  keepPrepared(prepared: PreparedUpload): Promise<void> {
    return writePrivateFile(join(this.folder, 'prepared.json'), `${JSON.stringify(prepared)}\n`);
  }

  async upload(): Promise<string | undefined> {
    return (await readPrivateFile(join(this.folder, 'upload')))?.trim() || undefined;
  }

  keepUpload(upload: string): Promise<void> {
    return writePrivateFile(join(this.folder, 'upload'), `${upload}\n`);
  }

  /** Everything but the right to work on it. */
  async clear(): Promise<void> {
    for (const name of ['prepared.json', 'upload', 'spool']) await rm(join(this.folder, name), { force: true });
  }

  /** The spool as a sink; on the disk when it is closed. */
  async openSpool(): Promise<WritableStream<Uint8Array>> {
    const file = await open(this.spool, 'w', 0o600);
    return new WritableStream({
      async write(piece) {
        for (let at = 0; at < piece.length; ) at += (await file.write(piece, at)).bytesWritten;
      },
      async close() {
        await file.sync();
        await file.close();
      },
      abort: () => file.close(),
    });
  }

  /** It is stored: nothing of it is needed any more. */
  done(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  /** It may be taken up again, by anyone. */
  async release(): Promise<void> {
    await rm(join(this.folder, 'pid'), { force: true });
  }
}

async function prune(uploads: string): Promise<void> {
  for (const name of await readdir(uploads)) {
    const folder = join(uploads, name);
    const pidFile = join(folder, 'pid');
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs < KEPT_MS) continue;
    const pid = existsSync(pidFile) ? Number(await readFile(pidFile, 'utf8').catch(() => '0')) : 0;
    if (pid === 0 || !isAlive(pid)) await rm(folder, { recursive: true, force: true });
  }
}

/** Bytes [from, to) of a file; fewer when it has become shorter. */
export function rangeReader(path: string): (from: number, to: number) => Promise<Uint8Array> {
  return async (from, to) => {
    const file = await open(path, 'r');
    try {
      const bytes = new Uint8Array(to - from);
      let at = 0;
      while (at < bytes.length) {
        const { bytesRead } = await file.read(bytes, at, bytes.length - at, from + at);
        if (bytesRead === 0) break;
        at += bytesRead;
      }
      return bytes.subarray(0, at);
    } finally {
      await file.close();
    }
  };
}
