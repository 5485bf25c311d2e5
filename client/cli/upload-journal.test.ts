import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rangeReader, UploadJournal, type UploadSource } from './upload-journal.ts';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'filetao-journal-'));
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

const source: UploadSource = { url: 'http://x', path: '/a', bytes: 1, mtimeMs: 2, options: { name: 'a' } };
const prepared = { version: 1, cid: 'bafkrei', bytes: 3, partBytes: 1 } as const;

/** No process has it: the highest pid of Linux is 2^22. */
const DEAD_PID = 2 ** 22 + 1;

describe('the journal of an upload', () => {
  it('gives back what was kept, to whoever comes later with the same file', async () => {
    const first = await UploadJournal.open(state, source);
    await first?.keepPrepared(prepared);
    await first?.keepUpload('u1');
    await first?.release();
    const again = await UploadJournal.open(state, source);
    expect([await again?.prepared(), await again?.upload()]).toEqual([prepared, 'u1']);
    await again?.done();
    expect(readdirSync(join(state, 'uploads'))).toEqual([]);
  });

  it.each<[string, Partial<UploadSource>]>([
    ['another time', { mtimeMs: 3 }],
    ['another size', { bytes: 2 }],
    ['another edge', { url: 'http://y' }],
    ['another name', { options: { name: 'b' } }],
  ])('knows nothing of a file with %s', async (_, change) => {
    const first = await UploadJournal.open(state, source);
    await first?.keepPrepared(prepared);
    await first?.release();
    const other = await UploadJournal.open(state, { ...source, ...change });
    expect(await other?.prepared()).toBeUndefined();
  });

  it('is one process’s at a time, and a dead one’s no longer', async () => {
    const first = await UploadJournal.open(state, source);
    const pidFile = join(first?.folder ?? '', 'pid');
    writeFileSync(pidFile, String(process.ppid));
    expect(await UploadJournal.open(state, source)).toBeUndefined();
    writeFileSync(pidFile, String(DEAD_PID));
    expect(await UploadJournal.open(state, source)).toBeDefined();
  });

  it('is for its owner alone, spool and all', async () => {
    const journal = await UploadJournal.open(state, source);
    const writer = (await journal?.openSpool())?.getWriter();
    await writer?.write(new Uint8Array([1, 2, 3]));
    await writer?.close();
    expect(statSync(journal?.folder ?? '').mode & 0o777).toBe(0o700);
    for (const file of readdirSync(journal?.folder ?? '')) {
      expect(statSync(join(journal?.folder ?? '', file)).mode & 0o777).toBe(0o600);
    }
    expect(await rangeReader(journal?.spool ?? '')(1, 9)).toEqual(new Uint8Array([2, 3]));
    await journal?.clear();
    expect(readdirSync(journal?.folder ?? '').sort()).toEqual(['pid', 'source.json']);
  });

  it('is forgotten after a week', async () => {
    const old = join(state, 'uploads', 'old');
    mkdirSync(old, { recursive: true });
    const eightDaysAgo = Date.now() / 1000 - 8 * 86_400;
    utimesSync(old, eightDaysAgo, eightDaysAgo);
    const journal = await UploadJournal.open(state, source);
    expect(readdirSync(join(state, 'uploads'))).toHaveLength(1);
    await journal?.done();
  });
});
