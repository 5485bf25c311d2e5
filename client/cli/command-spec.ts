/**
 * A command as data: its name, words, options and examples are here at once for help, completion and the reference;
 * what it does is imported only when it runs. `specs/` lists them, `build-program.ts` gives them to commander.
 */

import type { Given } from './given.ts';
import type { Places } from './settings/places.ts';
import type { Output } from './terminal/output.ts';
import type { Prompt } from './terminal/prompt.ts';

export interface Argument {
  /** As commander writes it: `<needed>`, `[optional]`, `[many...]`. */
  readonly usage: string;
  readonly about: string;
}

export interface Option {
  /** As commander writes it: `-o, --output <file>`. */
  readonly flags: string;
  readonly about: string;
  /** May be given several times. */
  readonly many?: boolean;
  /** Works, but help does not show it: spellings of the original. */
  readonly hidden?: boolean;
  /** Words that complete it. */
  readonly choices?: readonly string[];
}

export interface Example {
  readonly command: string;
  readonly about: string;
}

/** What a command may reach: everything of the process is here, so that tests bring their own. */
export interface Cli {
  readonly out: Output;
  readonly prompt: Prompt;
  readonly places: Places;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
}

export type Run = (cli: Cli, given: Given) => Promise<void>;

export interface CommandSpec {
  readonly name: string;
  readonly alias?: string;
  /** One line, without a full stop. */
  readonly about: string;
  /** More, for `--help`. */
  readonly details?: string;
  readonly args?: readonly Argument[];
  readonly options?: readonly Option[];
  readonly examples?: readonly Example[];
  /** Its own heading in the list of commands. */
  readonly group?: string;
  readonly commands?: readonly CommandSpec[];
  /** Absent for a group of commands. */
  readonly load?: () => Promise<Run>;
}
