/**
 * The one place where a command speaks. Results go to standard output: text for people, or with `--json` exactly one
 * JSON document. Everything else (notes, progress, failures) goes to standard error, and is left out by `--quiet` and
 * where nobody watches.
 */
import { styleText } from 'node:util';
import type { CommandFailed } from '../command-failed.ts';
import { noProgress, type Progress, startProgress } from './progress-bar.ts';

export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface OutputOptions {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
}

export class Output {
  readonly #options: OutputOptions;
  #bar: Progress = noProgress;

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  get json(): boolean {
    return this.#options.json;
  }
  /** Somebody watches. */
  get interactive(): boolean {
    return this.#options.stderr.isTTY === true && !this.#options.json;
  }

  /** What the command is for. @param text for people; nothing is printed when it is empty */
  result(value: unknown, text: string): void {
    if (this.#options.json) this.#options.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
    else if (text !== '') this.#options.stdout.write(`${text}\n`);
  }

  /** Said on the way, to people. */
  note(text: string): void {
    if (this.#options.quiet || this.#options.json) return;
    this.#bar.done();
    this.#options.stderr.write(`${text}\n`);
  }

  /** What must not go unseen, however quiet it was asked to be. */
  warn(text: string): void {
    this.#bar.done();
    this.#options.stderr.write(`${this.#paint('yellow', 'warning:')} ${text}\n`);
  }

  progress(label: string, totalBytes: number | undefined): Progress {
    const { stderr, quiet } = this.#options;
    if (quiet || !this.interactive) return noProgress;
    this.#bar = startProgress(stderr, () => performance.now(), label, totalBytes);
    return this.#bar;
  }

  failure(failed: CommandFailed): void {
    this.#bar.done();
    const { json, stderr } = this.#options;
    const { code, message, exit, hint } = failed;
    if (json) {
      stderr.write(`${JSON.stringify({ error: { code, message, ...(hint && { hint }), exit } })}\n`);
      return;
    }
    stderr.write(`${this.#paint('red', 'filetao:')} ${message}\n`);
    if (hint) stderr.write(`${hint.replace(/^/gm, '  ')}\n`);
  }

  bold(text: string): string {
    return this.#options.color ? styleText('bold', text, { validateStream: false }) : text;
  }
  #paint(color: 'red' | 'yellow', text: string): string {
    return this.#options.color && this.#options.stderr.isTTY ? styleText(color, text, { validateStream: false }) : text;
  }
}
