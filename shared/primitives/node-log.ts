/**
 * Structured logs of the long-lived programs: one JSON line an event on standard output, written by pino. Written
 * synchronously: the last lines before an end are the ones that matter. Fields that could carry a secret are cut out
 * by name, as the last line of defence: callers must not log them in the first place.
 */
import { pino } from 'pino';
import type { Log } from './effects.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const REDACTED = ['token', 'secret', 'seed', 'password', 'apiKey', 'authorization', '*.token', '*.secret', '*.seed'];

/** @param program what the `program` field of each line says; @param level the least that is written */
export function createNodeLog(program: string, level: LogLevel = 'info'): Log {
  const lines = pino(
    { level, base: { program }, messageKey: 'event', timestamp: pino.stdTimeFunctions.isoTime, redact: REDACTED },
    pino.destination({ sync: true }),
  );
  const write =
    (severity: LogLevel): Log['info'] =>
    (event, fields) =>
      lines[severity]({ ...fields }, event);
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
