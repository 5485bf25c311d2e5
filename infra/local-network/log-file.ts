/** A child's log on disk, bounded: when it is full it becomes `….1`, and what was that before is forgotten. */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const MAX_LOG_BYTES = 8 * 1024 * 1024;

export class LogFile {
  readonly path: string;
  #bytes: number;

  constructor(path: string) {
    this.path = path;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  append(text: string | Uint8Array): void {
    if (this.#bytes > MAX_LOG_BYTES) {
      renameSync(this.path, `${this.path}.1`);
      this.#bytes = 0;
    }
    appendFileSync(this.path, text, { mode: 0o600 });
    this.#bytes += text.length;
  }
}
