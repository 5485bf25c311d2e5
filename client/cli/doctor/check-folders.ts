/** Files and folders of this machine: who can read the secrets, and whether a miner's disk is fit for its work. */
import { randomBytes } from 'node:crypto';
import { open, readdir, stat, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes, formatRate } from '../terminal/units.ts';
import type { Finding } from './finding.ts';

/** Permission bits of group and others. */
const NOT_OWNER = 0o077;

const modeOf = async (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ mode }) => mode & 0o777,
    () => undefined,
  );

/** @param what named in the finding @param paths that must be readable by their owner alone; missing ones are fine */
export async function checkSecrets(what: string, paths: readonly string[]): Promise<Finding> {
  const modes = await Promise.all(paths.map(async (path) => ({ path, mode: await modeOf(path) })));
  const there = modes.filter(({ mode }) => mode !== undefined);
  const open = there.filter(({ mode }) => ((mode ?? 0) & NOT_OWNER) !== 0);
  if (there.length === 0) return { check: what, state: 'skipped', seen: 'none here' };
  if (open.length === 0) return { check: what, state: 'ok', seen: `${there.length} files, readable by you alone` };
  const seen = `others can read ${open.map(({ path }) => path).join(', ')}`;
  return { check: what, state: 'failed', seen, mend: `chmod 600 ${open.map(({ path }) => path).join(' ')}` };
}

const entries = (folder: string): Promise<readonly string[]> => readdir(folder).catch(() => []);

/** Every file of a folder of wallets that holds a secret. */
export async function walletSecretPaths(root: string): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const wallet of await entries(root)) {
    paths.push(join(root, wallet, 'coldkey'));
    const hotkeys = join(root, wallet, 'hotkeys');
    for (const hotkey of await entries(hotkeys)) if (!hotkey.endsWith('pub.txt')) paths.push(join(hotkeys, hotkey));
  }
  return paths;
}

const PROBE_BYTES = 32 * 2 ** 20;
const PIECE_BYTES = 2 ** 20;
/** A shard has to be on the disk before its receipt: slower than this, stores time out. */
const SLOW_BYTES_PER_SECOND = 20 * 2 ** 20;
/** What a miner leaves free by default. */
const FLOOR_BYTES = 2 ** 30;

/** Writes a file as a miner does, down to the disk, and takes it away again. */
export async function checkMinerFolder(folder: string): Promise<readonly Finding[]> {
  const check = 'miner folder';
  const mode = await modeOf(folder);
  if (mode === undefined) {
    return [{ check, state: 'failed', seen: `there is no ${folder}`, mend: `mkdir -m 700 -p ${folder}` }];
  }
  const findings: Finding[] = [
    (mode & NOT_OWNER) === 0
      ? { check, state: 'ok', seen: `${folder}, open to you alone` }
      : { check, state: 'warning', seen: `others can look into ${folder}`, mend: `chmod 700 ${folder}` },
  ];
  const space = await statfs(folder);
  const freeBytes = space.bavail * space.bsize;
  findings.push(
    freeBytes > 2 * FLOOR_BYTES
      ? { check: 'miner disk', state: 'ok', seen: `${formatBytes(freeBytes)} free` }
      : {
          check: 'miner disk',
          state: 'failed',
          seen: `only ${formatBytes(freeBytes)} free`,
          mend: 'use a larger disk: a miner leaves 1 GiB free',
        },
  );
  findings.push(await checkSpeed(folder));
  return findings;
}

async function checkSpeed(folder: string): Promise<Finding> {
  const check = 'miner disk speed';
  const path = join(folder, `.doctor-${randomBytes(6).toString('hex')}`);
  const piece = randomBytes(PIECE_BYTES);
  const sinceMs = performance.now();
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      for (let bytes = 0; bytes < PROBE_BYTES; bytes += piece.length) await file.write(piece);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      check,
      state: 'failed',
      seen: `it cannot be written: ${code}`,
      mend: `chown -R $USER ${folder}; is the disk full or read-only?`,
    };
  } finally {
    await unlink(path).catch(() => undefined);
  }
  const rate = (PROBE_BYTES * 1000) / (performance.now() - sinceMs);
  const seen = `${formatBytes(PROBE_BYTES)} written and synced at ${formatRate(rate)}`;
  return rate >= SLOW_BYTES_PER_SECOND
    ? { check, state: 'ok', seen }
    : { check, state: 'warning', seen, mend: 'a miner on it will be slow, and slow miners earn less: use an SSD' };
}
