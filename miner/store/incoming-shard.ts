/**
 * One shard on its way in: written to a temporary file while it is hashed, so that memory holds one chunk whatever its
 * size. Only bytes whose anchor is the announced one leave here, flushed to disk, on to the committer; everything else
 * leaves nothing behind. A failure (a full disk, say) is kept and told at the end, so that the rest of a stream can
 * still be read.
 */
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Failure, fail, invariant, type Result, succeed } from '#shared/primitives/failure.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import type { AnchorType } from '#shared/proof/any-anchor.ts';
import { type ArrivingBytes, arrivingBytes, type HashPorts, type ProofMaterial } from './arriving-bytes.ts';
import type { Folders } from './folders.ts';

/** Why a shard was not stored; codes are rows of `shared/wire/problem.ts`. */
export type StoreFailure = Failure & {
  readonly code:
    | 'full'
    | 'disk-floor'
    | 'tenant-quota'
    | 'wrong-anchor'
    | 'length-mismatch'
    | 'dropped'
    | 'conflict'
    | 'draining'
    | 'cancelled'
    | 'internal';
};

/** A whole shard with the right anchor, flushed to its temporary file. */
export interface ArrivedShard {
  readonly temporaryPath: string;
  readonly material: ProofMaterial;
}

/** SQLITE_FULL (sqlite.org/rescode.html). */
const SQLITE_FULL = 13;

/** What an error of the disk, or of the database on it, means to the caller. */
export function diskFailure(error: unknown): StoreFailure {
  const { code, errcode } = error as { readonly code?: string; readonly errcode?: number };
  return code === 'ENOSPC' || code === 'EDQUOT' || errcode === SQLITE_FULL
    ? { code: 'full', fault: 'us', message: 'the disk is full' }
    : { code: 'internal', fault: 'us', message: 'the disk refused to write' };
}

/** What is gathered before it goes to the disk: a trip to the thread pool costs more than a copy of this. */
const WRITE_BYTES = 64 * 1024;

/** Removes a file that may not be there. */
export async function unlinkQuietly(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** A shard as its sender announces it. */
export interface AnnouncedShard {
  readonly anchorId: AnchorId;
  /** Of the shard itself. */
  readonly bytes: number;
  /** Of type 2 its bytes come behind a blind key. */
  readonly type: AnchorType;
}

let lastTemporary = 0;

export class IncomingShard {
  readonly #announced: AnnouncedShard;
  readonly #arriving: ArrivingBytes;
  readonly #path: string;
  #handle: FileHandle | undefined;
  #bytes = 0;
  /** Hashed and not yet written: small chunks go to the disk together. */
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #failure: StoreFailure | undefined;
  #open = true;

  private constructor(announced: AnnouncedShard, ports: HashPorts, path: string) {
    this.#announced = announced;
    this.#arriving = arrivingBytes(ports, announced.type);
    this.#path = path;
  }

  static async begin(folders: Folders, ports: HashPorts, announced: AnnouncedShard): Promise<IncomingShard> {
    const shard = new IncomingShard(announced, ports, join(folders.tmp, String(++lastTemporary)));
    try {
      // Fails on a name that exists: two shards never share a temporary file.
      shard.#handle = await open(shard.#path, 'wx', 0o600);
    } catch (error) {
      shard.#failure = diskFailure(error);
    }
    return shard;
  }

  /** Takes the next bytes; resolves when they are handed to the system, which is the back-pressure of a stream. */
  async write(chunk: Uint8Array): Promise<void> {
    invariant(this.#open, 'a finished shard takes no more bytes');
    const own = this.#arriving.own(chunk);
    this.#bytes += own.length;
    if (this.#bytes > this.#announced.bytes) {
      this.#failure ??= { code: 'length-mismatch', fault: 'caller', message: 'more bytes than announced' };
    }
    if (this.#failure || own.length === 0) return;
    this.#gathered.push(own);
    this.#gatheredBytes += own.length;
    const full = this.#gatheredBytes >= WRITE_BYTES || this.#bytes === this.#announced.bytes;
    const written = full ? this.#writeGathered() : undefined;
    // Hashed while the disk writes.
    this.#arriving.update(own);
    await written;
  }

  async #writeGathered(): Promise<void> {
    const [parts, bytes] = [this.#gathered, this.#gatheredBytes];
    this.#gathered = [];
    this.#gatheredBytes = 0;
    try {
      const written = (await this.#handle?.writev(parts))?.bytesWritten ?? 0;
      // The system takes less than all only when it is about to take nothing: the disk is full, or a limit is reached.
      if (written < bytes) this.#failure ??= { code: 'full', fault: 'us', message: 'the disk is full' };
    } catch (error) {
      this.#failure ??= diskFailure(error);
    }
  }

  /** All bytes are there: checks length and anchor and flushes the file. On failure nothing is left. */
  async finish(): Promise<Result<ArrivedShard, StoreFailure>> {
    const judged = this.#failure ? fail(this.#failure) : this.#judge();
    if (judged.ok) {
      try {
        await this.#handle?.datasync();
        await this.#close();
        return succeed({ temporaryPath: this.#path, material: judged.value });
      } catch (error) {
        await this.discard();
        return fail(diskFailure(error));
      }
    }
    await this.discard();
    return judged;
  }

  #judge(): Result<ProofMaterial, StoreFailure> {
    const { anchorId, bytes } = this.#announced;
    if (this.#bytes !== bytes) {
      const message = `${this.#bytes} bytes came of ${bytes} announced`;
      return fail({ code: 'length-mismatch', fault: 'caller', message });
    }
    const { anchorId: found, material } = this.#arriving.finish();
    if (found === anchorId) return succeed(material);
    return fail({ code: 'wrong-anchor', fault: 'caller', message: 'these bytes have another anchor' });
  }

  /** Gives the shard up: the temporary file goes. Harmless after the end. */
  async discard(): Promise<void> {
    if (!this.#open) return;
    await this.#close();
    // Without a handle the file was never made.
    if (this.#handle) await unlinkQuietly(this.#path);
  }

  async #close(): Promise<void> {
    this.#open = false;
    await this.#handle?.close();
  }
}
