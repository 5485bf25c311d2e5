/** Small files of the command's own folders: 0600 in folders of 0700, replaced whole or not at all. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandFailed } from '../command-failed.ts';
import { EXIT } from '../exit-codes.ts';

/** Permission bits of group and others. */
const NOT_OWNER = 0o077;

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Undefined when there is none; refused while others can read it. */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  try {
    if (((await stat(path)).mode & NOT_OWNER) !== 0) {
      throw new CommandFailed('readable-by-others', `${path} can be read by others: chmod 600 ${path}`, EXIT.refused);
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

export async function writePrivateFile(path: string, text: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw new CommandFailed('unwritable', `${path} cannot be written: ${codeOf(error) ?? String(error)}`);
  }
}

/** @param check the parsed JSON as what it must be; undefined: damaged */
export async function readPrivateJson<T>(
  path: string,
  check: (json: unknown) => T | undefined,
): Promise<T | undefined> {
  const text = await readPrivateFile(path);
  if (text === undefined) return undefined;
  let value: T | undefined;
  try {
    value = check(JSON.parse(text));
  } catch {
    // Not JSON: damaged, as below.
  }
  if (value === undefined) {
    throw new CommandFailed('damaged-settings', `${path} is damaged: mend it, or move it away to begin anew`);
  }
  return value;
}
