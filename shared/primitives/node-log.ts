/**
 * Structured logs of the long-lived programs: one JSON line an event on standard output, written by pino. Fields that
 * could carry a secret are cut out by name, as the last line of defence: callers must not log them in the first place.
 */
import pino from 'pino';
import type { Log } from './effects.ts';

const REDACTED = ['token', 'secret', 'seed', 'password', 'apiKey', 'authorization', '*.token', '*.secret', '*.seed'];

/** @param program what the `name` field of each line says; @param level the least that is written, `info` by default */
export function createNodeLog(program: string, level: pino.LevelWithSilent = 'info'): Log {
  const log = pino({ name: program, level, base: { name: program }, redact: REDACTED });
  const write =
    (severity: 'debug' | 'info' | 'warn' | 'error') =>
    (event: string, fields: Readonly<Record<string, unknown>> = {}): void =>
      log[severity](fields, event);
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
