/**
 * The edges that a validator keeps in grants beside those of its settings: `edges.json` in its data folder. `filetao edge
 * grant` and `revoke` change it, the running validator reads it at each run of its grant job, so no restart is needed.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Hotkey } from '#shared/primitives/ids.ts';
import { writeDurably } from '#shared/primitives/node-write-durably.ts';
import { hotkeySetting } from '#shared/wire/setting-schemas.ts';

const FILE = 'edges.json';
/** As many as the settings file takes. */
const MAX_EDGES = 1000;
const EdgeList = z.strictObject({ edges: z.array(hotkeySetting).max(MAX_EDGES) });

/** Empty when there is no list. Throws when there is one that cannot be read. */
export async function readEdgeList(dataDir: string): Promise<readonly Hotkey[]> {
  const path = join(dataDir, FILE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return [];
  const parsed = EdgeList.safeParse(parseJson(text));
  if (!parsed.success) throw new Error(`${path} is damaged: it must be {"edges":["5…"]}`);
  return parsed.data.edges;
}

/** False when it is on the list already. */
export async function addToEdgeList(dataDir: string, edge: Hotkey): Promise<boolean> {
  const edges = await readEdgeList(dataDir);
  if (edges.includes(edge)) return false;
  if (edges.length >= MAX_EDGES) throw new Error(`a validator grants at most ${MAX_EDGES} edges`);
  await write(dataDir, [...edges, edge]);
  return true;
}

/** False when it was not on the list. Its last grant runs out by itself, within a day. */
export async function removeFromEdgeList(dataDir: string, edge: Hotkey): Promise<boolean> {
  const edges = await readEdgeList(dataDir);
  if (!edges.includes(edge)) return false;
  await write(
    dataDir,
    edges.filter((kept) => kept !== edge),
  );
  return true;
}

const write = (dataDir: string, edges: readonly Hotkey[]): Promise<void> =>
  writeDurably(join(dataDir, FILE), `${JSON.stringify({ edges }, undefined, 2)}\n`);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
