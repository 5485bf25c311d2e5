import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cid, OwnerId } from '#shared/primitives/ids.ts';
import { readWhole } from './file-source.ts';
import { restoreFolder, walkFolder } from './node-folder.ts';
import type { TreeEntry, TreeFile } from './tree/listing.ts';
import type { OpenTree } from './tree/read-tree.ts';

let place: string;
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'filetao-folder-'));
});
afterEach(() => rm(place, { recursive: true, force: true }));

/** A tree whose content is each file's own path. */
function treeOf(entries: readonly TreeEntry[], content = (file: TreeFile) => file.path): OpenTree {
  const open = async (file: TreeFile) => new Blob([content(file)]).stream() as ReadableStream<Uint8Array>;
  return {
    ...{ cid: '' as Cid, name: undefined, signer: '' as OwnerId, listing: { version: 1, bodies: [], entries } },
    entries: (path = '') =>
      entries.filter((entry) => path === '' || entry.path === path || entry.path.startsWith(`${path}/`)),
    open,
    async read(files, take) {
      for (const file of files) await take(file, await open(file));
    },
  };
}
const file = (path: string, mode = 0o640): TreeFile => ({
  ...{ path, type: 'file', bytes: new TextEncoder().encode(path).length, mode, mtimeMs: 1_600_000_000_000 },
  ...{ tag: '', body: 0, offset: 0 },
});
const link = (path: string, target: string): TreeEntry => ({ path, type: 'link', target, mtimeMs: 0 });
const folder = (path: string, mode = 0o755): TreeEntry => ({ path, type: 'folder', mode, mtimeMs: 1_500_000_000_000 });

describe('a folder', () => {
  it('is walked with every name as it is', async () => {
    const names = ['Grüße', 'u\u0308', '🌱', '\u202Ecod.exe', 'new\nline', ' ', '-rf', '\\', '%00', '"'];
    for (const name of names) await writeFile(join(place, name), name);
    await mkdir(join(place, 'empty'));
    await symlink('Grüße', join(place, 'link'));
    const seen = new Map<string, string>();
    for await (const source of walkFolder(place)) {
      const text = source.type === 'file' ? new TextDecoder().decode(await readWhole(source.open())) : source.type;
      seen.set(source.path, text);
    }
    expect(Object.fromEntries(seen)).toEqual({
      ...Object.fromEntries(names.map((n) => [n, n])),
      empty: 'folder',
      link: 'link',
    });
  });
  it('is refused with a name that is not UTF-8', async () => {
    await writeFile(Buffer.concat([Buffer.from(`${place}/`), Buffer.from([0xff, 0xfe])]), 'x');
    const walk = async () => {
      for await (const _ of walkFolder(place));
    };
    await expect(walk()).rejects.toMatchObject({ code: 'bad-name' });
  });
});

describe('a restored folder', () => {
  it('has content, modes, times and links', async () => {
    const target = join(place, 'out');
    const tree = treeOf([folder('d', 0o550), file('d/a', 0o444), file('b'), link('l', 'd/a')]);
    expect(await restoreFolder(tree, target)).toEqual({ files: 2, bytes: 4, leftOut: [] });
    expect(await readFile(join(target, 'd/a'), 'utf8')).toBe('d/a');
    expect((await lstat(join(target, 'd'))).mode & 0o777).toBe(0o550);
    expect((await lstat(join(target, 'b'))).mode & 0o777).toBe(0o640);
    expect((await lstat(join(target, 'b'))).mtimeMs).toBe(1_600_000_000_000);
    expect((await lstat(join(target, 'd'))).mtimeMs).toBe(1_500_000_000_000);
    expect(await readlink(join(target, 'l'))).toBe('d/a');
    expect(await readdir(place)).toEqual(['out']);
  });
  it('may be one path of the tree', async () => {
    await restoreFolder(treeOf([folder('d'), file('d/a'), file('b')]), join(place, 'out'), { path: 'd' });
    expect(await readdir(join(place, 'out'), { recursive: true })).toEqual(['d', 'd/a']);
    await expect(restoreFolder(treeOf([file('b')]), join(place, 'x'), { path: 'c' })).rejects.toMatchObject({
      code: 'not-found',
    });
  });
  it('leaves links out that lead elsewhere', async () => {
    const restored = await restoreFolder(
      treeOf([link('a', '/etc/passwd'), link('b', '../..'), link('c', 'a')]),
      join(place, 'out'),
    );
    expect(restored.leftOut).toEqual(['a', 'b']);
    expect(await readdir(join(place, 'out'))).toEqual(['c']);
  });
  it('never takes the place of what is there', async () => {
    await mkdir(join(place, 'out'));
    await writeFile(join(place, 'out/mine'), 'x');
    await expect(restoreFolder(treeOf([file('mine')]), join(place, 'out'))).rejects.toMatchObject({ code: 'conflict' });
    expect(await readFile(join(place, 'out/mine'), 'utf8')).toBe('x');
    expect(await readdir(place)).toEqual(['out']);
  });
  it('is not there at all when one file of it was wrong', async () => {
    const tree = treeOf([file('a'), file('b')], ({ path }) => (path === 'b' ? 'longer' : path));
    await expect(restoreFolder(tree, join(place, 'out'))).rejects.toMatchObject({ code: 'wrong-bytes' });
    expect(await readdir(place)).toEqual([]);
  });
  it('writes through no link, whatever the listing says', async () => {
    const outside = join(place, 'outside');
    await mkdir(outside);
    // A listing's parser refuses this; the disk would not follow it either, since links come last.
    const tree = treeOf([link('a', '../outside'), file('a/x')]);
    await expect(restoreFolder(tree, join(place, 'deep/out'))).resolves.toMatchObject({ leftOut: ['a'] });
    expect(await readdir(outside)).toEqual([]);
  });
});
