/**
 * What the validator keeps on its own disk: its mark of the index (durable before it counts), and the list of
 * registered miners that a local network writes for it. Made by `main.ts`.
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { IndexMark, IndexMarks, Registrations } from './ports.ts';
import { parseMiners } from './settings.ts';

const MARK_FILE = 'index-mark.json';
const Mark = z.object({ id: z.string().min(1), epoch: z.int().min(0), nextEpoch: z.int().min(0) });

export function indexMarksIn(dataDir: string): IndexMarks {
  const file = join(dataDir, MARK_FILE);
  return {
    async read() {
      const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      // A mark that cannot be read is no licence to adopt another index.
      return text === undefined ? undefined : Mark.parse(JSON.parse(text));
    },
    async write(mark: IndexMark) {
      await mkdir(dataDir, { recursive: true, mode: 0o700 });
      await writeDurably(file, `${JSON.stringify(mark)}\n`);
    },
  };
}

/** Whole or not at all, and on the disk: temporary file, fsync, rename, fsync of the folder. */
async function writeDurably(file: string, text: string): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The miners that a JSON file lists, read anew each time: whoever writes it replaces it whole. */
export const registrationsFrom = (minersFile: string): Registrations => ({
  read: async () => parseMiners(await readFile(minersFile, 'utf8')),
});
