/** Files of secrets that operators' commands write: readable by their owner alone, never written over. */
import { chmodSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';

/** What stops a command; printed as one line, without a stack. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
}

const OTHERS = 0o077;

/** The file's text without the line's end; undefined when there is none. */
export function readSecretFile(path: string): string | undefined {
  try {
    if ((statSync(path).mode & OTHERS) !== 0) throw new OperatorError(`${path} can be read by others: chmod 600 it`);
    return readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error instanceof OperatorError ? error : new OperatorError(`${path}: ${codeOf(error) ?? error}`);
  }
}

/** A new file; an existing one is never touched. */
export function writeNewSecretFile(path: string, text: string): void {
  try {
    writeFileSync(path, `${text}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const why = codeOf(error) === 'EEXIST' ? 'is there already; it is not written over' : `${codeOf(error) ?? error}`;
    throw new OperatorError(`${path} ${why}`);
  }
}

/** In place of an existing file: whole, or not at all. */
export function replaceSecretFile(path: string, text: string): void {
  const next = `${path}.new`;
  writeNewSecretFile(next, text);
  chmodSync(next, 0o600);
  renameSync(next, path);
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** Runs a command: its lines to standard output, what stops it to standard error. */
export async function runCommand(name: string, command: () => Promise<readonly string[]>): Promise<void> {
  try {
    process.stdout.write(`${(await command()).join('\n')}\n`);
  } catch (error) {
    process.stderr.write(`${name}: ${error instanceof OperatorError ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
