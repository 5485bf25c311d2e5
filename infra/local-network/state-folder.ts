/**
 * The one folder that holds everything of a local network: keys, index, shards, logs. Private to its owner; one start
 * at a time; what a killed start left running is found and ended by the next.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { signalGroup } from './child.ts';
import { isAlive, type ProcessIdentity } from './process-identity.ts';

/** Something that the person at the terminal can mend; its message is all that is shown. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused';
}

export interface RunningChild extends ProcessIdentity {
  readonly name: string;
}

export class StateFolder {
  readonly path: string;
  readonly #lock: DatabaseSync;

  private constructor(path: string, lock: DatabaseSync) {
    this.path = path;
    this.#lock = lock;
  }

  /** Makes the folder if need be and takes it for this process; throws `StartRefused` when another start has it. */
  static open(folder: string): StateFolder {
    const path = resolve(folder);
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      chmodSync(path, 0o700);
    } catch (error) {
      throw new StartRefused(`the state folder ${path} cannot be used: ${(error as Error).message}`);
    }
    // SQLite's own lock on the file: the system takes it back when the process dies, however it dies.
    const lock = new DatabaseSync(join(path, 'lock'));
    try {
      lock.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
    } catch {
      lock.close();
      throw new StartRefused(
        `a network is already running on ${path}; stop it first, or set FILETAO_STATE_DIR to another folder`,
      );
    }
    return new StateFolder(path, lock);
  }

  close(): void {
    if (this.#lock.isOpen) this.#lock.close();
  }

  file(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  /** A folder inside, made if need be. */
  folder(...names: readonly string[]): string {
    const path = this.file(...names);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  }

  /** Whole or not at all, readable by the owner alone. */
  write(name: string, text: string): string {
    const path = this.file(name);
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    return path;
  }

  readJson(name: string): unknown {
    const path = this.file(name);
    if (!existsSync(path)) return undefined;
    try {
      return JSON.parse(readFileSync(path, 'utf8'));
    } catch {
      throw new StartRefused(`${path} is damaged: mend it, or move the folder away to begin anew`);
    }
  }

  remove(name: string): void {
    rmSync(this.file(name), { force: true });
  }

  recordChildren(children: readonly RunningChild[]): void {
    this.write(CHILDREN, `${JSON.stringify(children)}\n`);
  }

  /** Ends children of a start that was killed; answers their names. */
  async endLeftovers(): Promise<readonly string[]> {
    const recorded = this.readJson(CHILDREN);
    const left = (Array.isArray(recorded) ? (recorded as RunningChild[]) : []).filter(isAlive);
    for (const { pid } of left) signalGroup(pid, 'SIGKILL');
    const deadline = Date.now() + LEFTOVER_MS;
    while (left.some(isAlive)) {
      if (Date.now() > deadline) {
        const names = left.filter(isAlive).map(({ name, pid }) => `${name} (pid ${pid})`);
        throw new StartRefused(`processes of an earlier start do not end: ${names.join(', ')}`);
      }
      await new Promise((wake) => setTimeout(wake, 20));
    }
    return left.map(({ name }) => name);
  }
}

const CHILDREN = 'processes.json';
/** A killed process is gone in milliseconds, unless its disk hangs. */
const LEFTOVER_MS = 5000;
