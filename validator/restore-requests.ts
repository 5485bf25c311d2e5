/**
 * How an operator, or a tool for one, has the running validator restore what was dropped: the file `restore.json` in its
 * folder, `{"sinceMs":…,"untilMs":…}`. It is taken once; `restore-report.json` says what came of it. Made by `main.ts`.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { restoreDropped } from './flows/restore-dropped.ts';
import { readDropReceipts } from './ledger/drop-receipts.ts';
import type { TenantPorts } from './ports.ts';

const REQUEST = 'restore.json';
const TAKEN = 'restore.taken.json';
const REPORT = 'restore-report.json';
const Span = z.strictObject({ sinceMs: z.int().min(0), untilMs: z.int().min(0) });

/** @returns false when nothing was asked for */
export async function takeRestoreRequest(ports: TenantPorts, dataDir: string, signal: AbortSignal): Promise<boolean> {
  const taken = join(dataDir, TAKEN);
  const found = await rename(join(dataDir, REQUEST), taken).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
  if (!found) return false;
  const write = (report: unknown) => writeFile(join(dataDir, REPORT), `${JSON.stringify(report)}\n`, { mode: 0o600 });
  const span = parseSpan(await readFile(taken, 'utf8'));
  if (!span) {
    await write({ error: `${REQUEST} must be {"sinceMs":…,"untilMs":…}, milliseconds since 1970` });
    return true;
  }
  await write({ ...span, ...(await restoreDropped(ports, readDropReceipts(dataDir, ports.network), span, signal)) });
  return true;
}

function parseSpan(text: string): z.output<typeof Span> | undefined {
  try {
    return Span.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
