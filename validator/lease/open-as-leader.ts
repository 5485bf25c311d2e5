/**
 * Opens the validator's folder as the one that works: waits for the lease (`stand-by.ts`), and gives out a state whose
 * database commits nothing while the lease is not surely held. Called by `main.ts`.
 */
import type { Tiers } from '#shared/tier/table.ts';
import { type Database, DatabaseRefused, openDatabase } from '#validator/state/database.ts';
import { SCHEMA_PARTS, stateOver, type ValidatorState } from '#validator/state/open-state.ts';
import type { HeldLease, LeasePorts, LeaseTimes } from './held-lease.ts';
import { type Leading, standBy } from './stand-by.ts';

export interface OpenedFolder {
  readonly state: ValidatorState;
  /** Also after the lease is gone. */
  close(): void;
}

interface Folder extends OpenedFolder {
  readonly database: Database;
}

export interface LeaderSettings {
  readonly dataDir: string;
  readonly holder: string;
  readonly times: LeaseTimes;
  readonly evenIfBehind: boolean;
  /** What tiers ask for. */
  readonly tiers: Tiers;
}

/** Grows with every batch that is counted and every round that is asked: what a copy that is too old lacks. */
const PROGRESS = `SELECT (SELECT coalesce(max(seq), 0) FROM counted_batches)
  + (SELECT coalesce(max(last_round), 0) FROM audit_about) AS progress`;

/** Nothing of a transaction stands that ends after the lease. Reading does no harm: metrics go on. */
const fenced = (database: Database, lease: Pick<HeldLease, 'check'>): Database => ({
  sql(text) {
    if (!text.trimStart().startsWith('SELECT')) lease.check();
    return database.sql(text);
  },
  transaction: (work) =>
    database.transaction(() => {
      const value = work();
      lease.check();
      return value;
    }),
  close: () => database.close(),
});

export function openAsLeader(
  ports: LeasePorts,
  { dataDir, holder, times, evenIfBehind, tiers }: LeaderSettings,
  signal: AbortSignal,
): Promise<Leading<OpenedFolder>> {
  return standBy<Folder>(
    ports,
    {
      ...{ holder, times, evenIfBehind },
      open(lease) {
        const database = openDatabase(dataDir, SCHEMA_PARTS);
        return { database, state: stateOver(fenced(database, lease), tiers), close: () => database.close() };
      },
      isBusy: (error) => error instanceof DatabaseRefused,
      close: (folder) => folder.close(),
      progressOf: ({ database }) => Number(database.sql(PROGRESS).get()?.progress ?? 0),
    },
    signal,
  );
}
