/** The miner's view of its chain in its data folder, `chain.json`: what it starts with while the chain is away. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { hotkeySetting } from '#shared/wire/setting-schemas.ts';
import type { ChainView } from './chain-view.ts';

const FILE = 'chain.json';
const ms = z.number().min(0);

const ViewText = z.object({
  genesisHash: z.string().regex(/^[0-9a-f]{64}$/),
  netuid: z.int().min(0).max(0xffff),
  block: z.int().min(0),
  tenants: z.array(z.object({ hotkey: hotkeySetting, seenMs: ms, current: z.boolean() })),
  uid: z.int().min(0).max(0xffff).optional(),
  leftMs: ms.optional(),
});

/** Undefined when there is none, or none that can be read: the chain says it all again. */
export function readView(dataDir: string): ChainView | undefined {
  try {
    const { uid, leftMs, ...view } = ViewText.parse(JSON.parse(readFileSync(join(dataDir, FILE), 'utf8')));
    return { ...view, uid, leftMs };
  } catch {
    return undefined;
  }
}

/** Whole or not at all. */
export function writeView(dataDir: string, view: ChainView): void {
  const path = join(dataDir, FILE);
  writeFileSync(`${path}.new`, `${JSON.stringify(view)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
