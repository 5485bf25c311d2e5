/** The program's log: one JSON line an event on standard output, for people and for whoever started it. */
import { pino } from 'pino';
import type { Log } from '#shared/primitives/effects.ts';

export function createJsonLog(level: 'debug' | 'info'): Log {
  const lines = pino({ level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'event' });
  return {
    debug: (event, fields) => lines.debug({ ...fields }, event),
    info: (event, fields) => lines.info({ ...fields }, event),
    warn: (event, fields) => lines.warn({ ...fields }, event),
    error: (event, fields) => lines.error({ ...fields }, event),
  };
}
