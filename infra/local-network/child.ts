/**
 * One child process of the local network: started in a process group of its own and on a leash, its output in a log
 * file, ready when it says so (by IPC message or log line), and ended within a stated time, whatever it started.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { LogFile } from './log-file.ts';
import { identifyProcess, type ProcessIdentity } from './process-identity.ts';

const LEASH = new URL('./leash.ts', import.meta.url).href;
/** What Node compiled of one child serves the next, and the next start: about 0.3 s of work a process. */
const COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/node', import.meta.url));
/** Lines of output kept for the message when a start fails. */
const TAIL_LINES = 12;
/** Only for a child that hangs: a machine with much else to do takes its time. */
const READY_MS = 90_000;

export interface ChildSpec<Ready> {
  /** For people: `miner 03`. */
  readonly name: string;
  /** Arguments of node: a script and its own. Never secrets: any user of the machine sees them. */
  readonly args: readonly string[];
  /** What is run instead of node with `args`: a program of an image. It has no leash. */
  readonly command?: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly logFile: string;
  /** What this message says when it says that the child is ready. */
  readonly ready: (message: unknown) => Ready | undefined;
  /** Whether this message says that the child is done for good: then its end is no death. */
  readonly finished?: (message: unknown) => boolean;
}

export class ChildFailure extends Error {
  override readonly name = 'ChildFailure';
}

export class Child<Ready = unknown> {
  readonly name: string;
  readonly identity: ProcessIdentity;
  /** When it is gone, whoever ended it: how, in words. */
  readonly ended: Promise<string>;
  readonly #process: ChildProcess;
  #ready: Ready | undefined;
  #finished = false;

  private constructor(name: string, child: ChildProcess, pid: number, ended: Promise<string>) {
    this.name = name;
    this.#process = child;
    this.identity = identifyProcess(pid) ?? { pid, startedAt: 'gone' };
    this.ended = ended;
  }

  get pid(): number {
    return this.identity.pid;
  }
  /** It said that it is done for good. */
  get finished(): boolean {
    return this.#finished;
  }
  /** What it said when it was ready. */
  get ready(): Ready {
    if (this.#ready === undefined) throw new Error(`${this.name} is not ready`);
    return this.#ready;
  }

  /**
   * Resolves when the child is ready; else it is ended and the rejection says why, with the end of its output.
   * @param onSpawn told as soon as there is a process, so that a start that is broken off leaves none unknown
   */
  static async start<Ready>(spec: ChildSpec<Ready>, onSpawn: (child: Child) => void = () => {}): Promise<Child<Ready>> {
    const leashed = [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      '--import',
      LEASH,
      ...spec.args,
    ] as const;
    const [file, ...args] = spec.command ?? leashed;
    const process_ = spawn(file, args, {
      cwd: spec.cwd,
      env: { ...baseEnvironment(), ...spec.env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    if (process_.pid === undefined) {
      const [error] = await once(process_, 'error');
      throw new ChildFailure(`${spec.name} cannot be started: ${error}`);
    }
    const ended = once(process_, 'exit').then(([code, signal]) =>
      signal ? `ended by ${signal}` : `exit code ${code}`,
    );
    const child = new Child<Ready>(spec.name, process_, process_.pid, ended);
    onSpawn(child as Child);
    const tail: string[] = [];
    const ready = new Promise<Ready>((resolve) => {
      const hear = (message: unknown) => {
        if (spec.finished?.(message)) child.#finished = true;
        const value = spec.ready(message);
        if (value !== undefined) resolve(value);
      };
      process_.on('message', (message) => hear(typeof message === 'string' ? parseJson(message) : message));
      child.#logTo(new LogFile(spec.logFile), tail, hear);
    });
    const deadline = new AbortController();
    const late = new Promise<string>((resolve) => {
      const timer = setTimeout(() => resolve(`not ready after ${READY_MS / 1000} s`), READY_MS);
      deadline.signal.addEventListener('abort', () => clearTimeout(timer));
    });
    const outcome = await Promise.race([
      ready.then((value) => ({ value })),
      Promise.race([ended, late]).then((problem) => ({ problem })),
    ]);
    deadline.abort();
    if ('value' in outcome) {
      child.#ready = outcome.value;
      return child;
    }
    await child.stop(0);
    throw new ChildFailure(`${spec.name}: ${outcome.problem}\n${tail.join('\n')}\n(log: ${spec.logFile})`);
  }

  #logTo(log: LogFile, tail: string[], hear: (message: unknown) => void): void {
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        log.append(`${line}\n`);
        tail.push(line);
        if (tail.length > TAIL_LINES) tail.shift();
        if (line.startsWith('{')) hear(parseJson(line));
      });
    }
  }

  /** SIGTERM for the whole group, SIGKILL for what is left of it after `graceMs`. Resolves when the child is gone. */
  async stop(graceMs: number): Promise<void> {
    signalGroup(this.pid, 'SIGTERM');
    const timer = setTimeout(() => signalGroup(this.pid, 'SIGKILL'), graceMs);
    await this.ended;
    clearTimeout(timer);
    // Whatever it started and did not take along.
    signalGroup(this.pid, 'SIGKILL');
  }

  /** As a crash: no warning, no clean-up. */
  async kill(): Promise<void> {
    signalGroup(this.pid, 'SIGKILL');
    await this.ended;
  }
}

/** Signals a process group by its leader's pid; a group that is gone is no error. */
export function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** What any program needs of the machine, and nothing that happens to lie in the caller's environment. */
function baseEnvironment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TMPDIR', 'TZ', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'];
  const environment = kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  return { ...Object.fromEntries(environment), NODE_COMPILE_CACHE: COMPILE_CACHE };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
