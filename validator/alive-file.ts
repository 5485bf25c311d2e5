/**
 * Touches a file while the program's event loop turns, for the health check of a container: a program that answers no
 * requests has nothing else that could be asked. Called by `main.ts` when FILETAO_ALIVE_FILE names one.
 */
import { writeFile } from 'node:fs/promises';
import type { Clock, Log } from '#shared/primitives/effects.ts';

/** The health check of `validator/Dockerfile` allows a minute. */
const EVERY_MS = 10_000;

export async function keepTouched(file: string, clock: Clock, log: Log, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await writeFile(file, `${clock.nowMs()}\n`).catch((error: Error) => {
      log.warn('alive-file', { file, reason: error.message });
    });
    await clock.sleep(EVERY_MS, signal).catch(() => undefined);
  }
}
