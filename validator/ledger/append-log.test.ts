import { appendFileSync, mkdtempSync, rmSync, statSync, truncateSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { logEntries, logFile, logNumbers } from '#shared/ledger/node-log-files.ts';
import { AppendLog } from './append-log.ts';

const SETTINGS = { fileBytes: 100, keepMs: undefined };
const NAME = 'records';
const entry = (fill: number, bytes = 20): Uint8Array => new Uint8Array(bytes).fill(fill);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'filetao-log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function fills(): Promise<number[]> {
  const found: number[] = [];
  for await (const { payload } of logEntries(folder, NAME)) found.push(payload[0] as number);
  return found;
}

it('gives back what was appended, in order, over files and restarts', async () => {
  for (let run = 0; run < 3; run++) {
    const log = await AppendLog.open(folder, NAME, SETTINGS, 0);
    expect(log.lastEntry?.[0]).toBe(run === 0 ? undefined : 10 * run - 1);
    for (let i = 0; i < 5; i++) await log.append([entry(10 * run + 2 * i), entry(10 * run + 2 * i + 1)], 0);
    await log.close();
  }
  expect(await fills()).toEqual(Array.from({ length: 30 }, (_, i) => i));
  expect((await logNumbers(folder, NAME)).length).toBeGreaterThan(3);
});

it.each([1, 7, 8, 9, 27])('cuts off an end that was torn by %d bytes, and goes on', async (torn) => {
  const log = await AppendLog.open(folder, NAME, { ...SETTINGS, fileBytes: 10_000 }, 0);
  await log.append([entry(1), entry(2), entry(3)], 0);
  await log.close();
  const file = logFile(folder, NAME, 1);
  truncateSync(file, statSync(file).size - torn);
  const again = await AppendLog.open(folder, NAME, { ...SETTINGS, fileBytes: 10_000 }, 0);
  expect(again.lastEntry?.[0]).toBe(2);
  await again.append([entry(4)], 0);
  await again.close();
  expect(await fills()).toEqual([1, 2, 4]);
});

it('does not take for an entry what is none', async () => {
  const log = await AppendLog.open(folder, NAME, SETTINGS, 0);
  await log.append([entry(1)], 0);
  await log.close();
  appendFileSync(logFile(folder, NAME, 1), new Uint8Array(64));
  appendFileSync(logFile(folder, NAME, 1), Uint8Array.of(255, 255, 255, 255, 1, 2, 3, 4));
  const again = await AppendLog.open(folder, NAME, SETTINGS, 0);
  await again.append([entry(2)], 0);
  await again.close();
  expect(await fills()).toEqual([1, 2]);
});

it('removes files whose time is over, and never the one it writes', async () => {
  const log = await AppendLog.open(folder, NAME, { fileBytes: 40, keepMs: 1000 }, 0);
  for (let i = 0; i < 4; i++) await log.append([entry(i, 60)], 0);
  const long = (Date.now() - 60_000) / 1000;
  for (const number of [1, 2, 4]) utimesSync(logFile(folder, NAME, number), long, long);
  await log.removeOld(Date.now());
  expect(await logNumbers(folder, NAME)).toEqual([3, 4]);
  await log.close();
});
