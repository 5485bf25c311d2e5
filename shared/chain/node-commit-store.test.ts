import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hotkeyOf } from '#shared/primitives/ids.ts';
import { createNodeCommitStore } from './node-commit-store.ts';
import type { PendingCommit } from './ports.ts';

const hotkey = hotkeyOf(new Uint8Array(32).fill(1));
const commitOf = (name: string): PendingCommit => ({
  netuid: 21,
  hotkey,
  commit: name.repeat(64),
  weights: [{ uid: 1, value: 65_535 }],
  salt: [1, 2, 65_535],
  versionKey: 2n ** 64n - 1n,
  sentAtBlock: 77,
});

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'filetao-commits-'));
  path = join(folder, 'deep', 'commits.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('keeps commits across a restart, in order, by subnet and hotkey, for its owner alone', async () => {
  const store = createNodeCommitStore(path);
  await Promise.all(['a', 'b', 'c'].map((name) => store.put(commitOf(name))));
  await store.put({ ...commitOf('d'), netuid: 22 });
  await store.remove([commitOf('b').commit, 'unknown']);
  const again = createNodeCommitStore(path);
  expect(await again.list(21, hotkey)).toEqual([commitOf('a'), commitOf('c')]);
  expect(await again.list(21, hotkeyOf(new Uint8Array(32)))).toEqual([]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it('begins empty', async () => {
  expect(await createNodeCommitStore(path).list(21, hotkey)).toEqual([]);
});

it.each(['', '{}', '[{"netuid":21}]', '[1]'])('refuses to forget salts in a damaged file: %s', async (text) => {
  const store = createNodeCommitStore(path);
  await store.put(commitOf('a'));
  writeFileSync(path, text);
  await expect(store.list(21, hotkey)).rejects.toThrow();
  await expect(store.put(commitOf('b'))).rejects.toThrow();
  expect(readFileSync(path, 'utf8')).toBe(text);
});
