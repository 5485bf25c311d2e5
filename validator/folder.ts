/**
 * What the validator keeps on its own disk: its mark of the index, and the roster of the subnet's hotkeys (both durable
 * before they count). Made by `main.ts`.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from '#shared/primitives/node-write-durably.ts';
import { hotkeySetting } from '#shared/wire/setting-schemas.ts';
import type { RosterStore } from './chain/watch-subnet.ts';
import type { Roster } from './domain/roster.ts';
import type { IndexMark, IndexMarks } from './ports.ts';

const MARK_FILE = 'index-mark.json';
const MarkText = z.object({ id: z.string().min(1), epoch: z.int().min(0), nextEpoch: z.int().min(0) });

const ROSTER_FILE = 'roster.json';
const block = z.int().min(0);
const Member = z.object({
  hotkey: hotkeySetting,
  coldkey: z.string(),
  uid: z.int().min(0).max(0xffff),
  registeredAt: block,
  address: z.object({ ip: z.string(), port: z.int().min(1).max(65_535) }).optional(),
});
const RosterText = z.object({
  block,
  lastRegistration: block,
  members: z.array(Member),
  departed: z.array(Member.extend({ leftAt: block, settledAt: block.optional() })),
});

export function indexMarksIn(dataDir: string): IndexMarks {
  const file = join(dataDir, MARK_FILE);
  return {
    async read() {
      const json = await readJson(file);
      // A mark that cannot be read is no licence to adopt another index.
      return json === undefined ? undefined : MarkText.parse(json);
    },
    write: (mark: IndexMark) => writeDurably(file, `${JSON.stringify(mark)}\n`),
  };
}

/** Damaged, it stops the start: who left meanwhile would be forgotten without anyone knowing. */
export function rosterIn(dataDir: string): RosterStore {
  const file = join(dataDir, ROSTER_FILE);
  return {
    async read() {
      const json = await readJson(file);
      if (json === undefined) return undefined;
      const parsed = RosterText.safeParse(json);
      if (!parsed.success) throw new Error(`${file} is damaged: restore it, or remove it to begin anew`);
      return parsed.data as Roster;
    },
    write: (roster) => writeDurably(file, `${JSON.stringify(roster)}\n`),
  };
}

/** Undefined when there is no such file. */
async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : JSON.parse(text);
}
