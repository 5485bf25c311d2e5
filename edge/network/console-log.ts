/** Log lines as JSON on the console: what `wrangler tail`, Workers Logs and `wrangler dev` collect. */
import type { Log } from '#shared/primitives/effects.ts';

const line =
  (level: keyof Log): Log[keyof Log] =>
  (event, fields) =>
    console[level](JSON.stringify({ level, event, ...fields }));

/** Debug lines are dropped: one per shard would cost more than the shard. */
export const consoleLog: Log = { debug: () => {}, info: line('info'), warn: line('warn'), error: line('error') };
