import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hotkeyOf } from '#shared/primitives/ids.ts';
import { addToEdgeList, readEdgeList, removeFromEdgeList } from './node-edge-list.ts';

const [ada, bob] = [1, 2].map((byte) => hotkeyOf(new Uint8Array(32).fill(byte))) as [never, never];
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'filetao-edges-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('keeps each edge once, in a file for its owner alone', async () => {
  expect(await readEdgeList(dir)).toEqual([]);
  expect(await addToEdgeList(dir, ada)).toBe(true);
  expect(await addToEdgeList(dir, bob)).toBe(true);
  expect(await addToEdgeList(dir, ada)).toBe(false);
  expect(await readEdgeList(dir)).toEqual([ada, bob]);
  expect(statSync(join(dir, 'edges.json')).mode & 0o777).toBe(0o600);
});

it('takes an edge off, and no other', async () => {
  await addToEdgeList(dir, ada);
  await addToEdgeList(dir, bob);
  expect(await removeFromEdgeList(dir, ada)).toBe(true);
  expect(await removeFromEdgeList(dir, ada)).toBe(false);
  expect(await readEdgeList(dir)).toEqual([bob]);
});

it('makes the folder that is not there yet', async () => {
  await addToEdgeList(join(dir, 'new', 'folder'), ada);
  expect(await readEdgeList(join(dir, 'new', 'folder'))).toEqual([ada]);
});

it.each(['', '{', '[]', '{"edges":["5x"]}', '{"edges":[1]}', '{"edge":[]}'])(
  'refuses a damaged list: %s',
  async (text) => {
    writeFileSync(join(dir, 'edges.json'), text);
    await expect(readEdgeList(dir)).rejects.toThrow(/edges.json is damaged/);
    await expect(addToEdgeList(dir, ada)).rejects.toThrow(/is damaged/);
    expect(readFileSync(join(dir, 'edges.json'), 'utf8')).toBe(text);
  },
);
