/**
 * Starts the process that announces this miner, and passes its lines on to our log. It needs 323 MB for the few seconds
 * that it lives. Where it fails for what time may cure, it is started again after a growing pause.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Clock, Log } from '#shared/primitives/effects.ts';
import { EXIT_CONFIG } from '../settings.ts';

const SCRIPT = fileURLToPath(new URL('./announce-process.ts', import.meta.url));
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 5 * 60_000;

/** Resolves true when it is announced, false when an operator has to mend something (it was logged) or `signal` ended it. */
export async function announceAxon(
  environment: Readonly<Record<string, string | undefined>>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Promise<boolean> {
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const code = await runOnce(environment, log, signal);
    if (code === 0) return true;
    if (code === EXIT_CONFIG) return false;
    await clock.sleep(pauseMs, signal).catch(() => undefined);
  }
  return false;
}

async function runOnce(
  environment: Readonly<Record<string, string | undefined>>,
  log: Log,
  signal: AbortSignal,
): Promise<number | undefined> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', SCRIPT], {
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end = () => child.kill('SIGTERM');
  signal.addEventListener('abort', end, { once: true });
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => pass(line, log));
  const code = await Promise.race([
    once(child, 'exit').then(([status]) => (typeof status === 'number' ? status : undefined)),
    once(child, 'error').then(([error]) => {
      log.error('not-announced', { reason: `the process cannot be started: ${error}` });
      return undefined;
    }),
  ]);
  signal.removeEventListener('abort', end);
  return code;
}

/** Its JSON lines become ours; anything else is told as it is. */
function pass(line: string, log: Log): void {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    log.warn('announce-says', { line });
    return;
  }
  const { event, level, time: _time, program: _program, ...rest } = fields;
  const say = typeof level === 'number' && level >= 40 ? log.warn : log.info;
  say(String(event ?? 'announce-says'), rest);
}
