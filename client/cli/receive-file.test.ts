import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iterableStream } from '#client/file-source.ts';
import { outputPath } from './output-path.ts';
import { receiveFile } from './receive-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'filetao-receive-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const { signal } = new AbortController();

/** Pieces, then an error where one is given. */
async function* pieces(count: number, error?: Error) {
  for (let at = 0; at < count; at++) yield new Uint8Array([at]);
  if (error) throw error;
}

describe('a file that is received', () => {
  it('appears whole', async () => {
    const path = join(folder, 'a');
    expect(await receiveFile(iterableStream(pieces(3)), path, { force: false, signal })).toBe(3);
    expect([...readFileSync(path)]).toEqual([0, 1, 2]);
    expect(readdirSync(folder)).toEqual(['a']);
  });
  it('leaves nothing when the stream ends wrongly', async () => {
    const wrong = receiveFile(iterableStream(pieces(3, new Error('wrong bytes'))), join(folder, 'a'), {
      force: true,
      signal,
    });
    await expect(wrong).rejects.toThrow('wrong bytes');
    expect(readdirSync(folder)).toEqual([]);
  });
  it('leaves what was there when the stream ends wrongly', async () => {
    const path = join(folder, 'a');
    writeFileSync(path, 'before');
    await expect(
      receiveFile(iterableStream(pieces(1, new Error('no'))), path, { force: true, signal }),
    ).rejects.toThrow('no');
    expect(readFileSync(path, 'utf8')).toBe('before');
  });
  it('replaces nothing unless it is told to', async () => {
    const path = join(folder, 'a');
    writeFileSync(path, 'before');
    await expect(receiveFile(iterableStream(pieces(1)), path, { force: false, signal })).rejects.toMatchObject({
      code: 'exists',
      exit: 4,
    });
    expect(readFileSync(path, 'utf8')).toBe('before');
    await receiveFile(iterableStream(pieces(1)), path, { force: true, signal });
    expect([...readFileSync(path)]).toEqual([0]);
    expect(readdirSync(folder)).toEqual(['a']);
  });
  it('has a name of 255 bytes when that is its name', async () => {
    const path = join(folder, 'n'.repeat(255));
    await receiveFile(iterableStream(pieces(1)), path, { force: false, signal });
    expect(readdirSync(folder)).toEqual(['n'.repeat(255)]);
  });
});

describe('where a file goes', () => {
  const isFolder = (path: string) => path === '/w/dir';
  const join = (...parts: readonly string[]) => resolve('/w', ...parts);
  const cases: readonly [
    string,
    string | undefined,
    string | undefined,
    readonly (string | undefined)[],
    string | undefined,
  ][] = [
    ['its own name', undefined, undefined, ['a.txt'], '/w/a.txt'],
    ['standard output', '-', undefined, ['a.txt'], undefined],
    ['the name asked for', 'b', undefined, ['a.txt'], '/w/b'],
    ['into a folder that is there', 'dir', undefined, ['a.txt'], '/w/dir/a.txt'],
    ['into a folder that is named as one', 'new/', undefined, ['a.txt'], '/w/new/a.txt'],
    ['the original’s folder', undefined, '/s', ['a.txt'], '/s/a.txt'],
    ['the next best name', undefined, undefined, [undefined, 'bafk'], '/w/bafk'],
    ['never a path that the network chose', undefined, undefined, ['../../etc/passwd', 'bafk'], '/w/bafk'],
    ['never a hidden folder’s parent', undefined, undefined, ['..', '.'], '/w/file'],
    ['never a name that lies', undefined, undefined, ['cod\u202eexe', 'bafk'], '/w/bafk'],
  ];
  it.each(cases)('%s', (_, output, folder, names, path) =>
    expect(outputPath({ output, folder, isFolder }, names, join).path).toBe(path),
  );
});
