/** What was given on the command line, typed at the place where it is read. */
import { usageError } from './command-failed.ts';

/** `--wallet.name` stays, `--api-key-file` becomes `apiKeyFile`: commander's rule. */
const attributeOf = (name: string): string => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

export class Given {
  readonly args: readonly string[];
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(args: readonly string[], values: Readonly<Record<string, unknown>>) {
    this.args = args;
    this.#values = values;
  }

  /** The first of these options that was given. @param names without dashes */
  text(...names: readonly string[]): string | undefined {
    for (const name of names) {
      const value = this.#values[attributeOf(name)];
      if (typeof value === 'string') return value;
    }
    return undefined;
  }

  texts(name: string): readonly string[] {
    const value = this.#values[attributeOf(name)];
    return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
  }

  flag(name: string): boolean {
    return this.#values[attributeOf(name)] === true;
  }

  /** `--no-…` was given. @param name without the "no-" */
  declined(name: string): boolean {
    return this.#values[attributeOf(name)] === false;
  }

  /** @param parse undefined: not acceptable; @param must what it must be, for the message */
  parsed<T>(name: string, parse: (text: string) => T | undefined, must: string): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value === undefined) throw usageError(`--${name} must be ${must}, not ${JSON.stringify(text)}`);
    return value;
  }

  /** The positional argument, else the first of these options. */
  one(at: number, what: string, ...names: readonly string[]): string {
    const value = this.args[at] ?? this.text(...names);
    if (value === undefined || value === '') throw usageError(`${what} is missing`);
    return value;
  }
}

/** A whole number written in decimal. */
export const parseCount = (text: string): number | undefined =>
  /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : undefined;
