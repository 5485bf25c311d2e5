/** All that the validator remembers: its one database with every module's tables, and what reads and writes them. */

import { systemClock } from '#shared/primitives/effects.ts';
import type { Tiers } from '#shared/tier/table.ts';
import { LEDGER_SCHEMA } from '../ledger/ledger.ts';
import { AUDIT_SCHEMA, type AuditBook, createAuditBook } from './audit-book.ts';
import type { Database } from './database.ts';
import { createDropProbes, DROP_PROBES_SCHEMA, type DropProbes } from './drop-probes.ts';
import { createInventories, type FrozenInventories } from './inventories.ts';
import { OWED_SCHEMA } from './owed-rows.ts';
import { createPings, PINGS_SCHEMA, type Pings } from './pings.ts';
import type { StandingsBook } from './ports.ts';
import { createRepairs, REPAIRS_SCHEMA, type Repairs } from './repairs.ts';
import { createStandings } from './standings.ts';
import { STANDINGS_SCHEMA } from './standings-schema.ts';
import { createSynthetics, SYNTHETICS_SCHEMA, type Synthetics } from './synthetics.ts';
import { createWaitingReceipts, RECEIPTS_SCHEMA, type WaitingReceipts } from './waiting-receipts.ts';
import { createWeightHistory, WEIGHTS_SCHEMA, type WeightHistory } from './weight-history.ts';

/** Every module's part of the schema: a new one is added at the end. */
export const SCHEMA_PARTS = [
  ...[OWED_SCHEMA, STANDINGS_SCHEMA, WEIGHTS_SCHEMA, REPAIRS_SCHEMA, PINGS_SCHEMA],
  ...[AUDIT_SCHEMA, LEDGER_SCHEMA, RECEIPTS_SCHEMA, DROP_PROBES_SCHEMA, SYNTHETICS_SCHEMA],
];

export interface ValidatorState {
  readonly database: Database;
  readonly inventories: FrozenInventories;
  readonly standings: StandingsBook;
  readonly weights: WeightHistory;
  readonly repairs: Repairs;
  readonly pings: Pings;
  readonly book: AuditBook;
  readonly receipts: WaitingReceipts;
  readonly dropProbes: DropProbes;
  readonly synthetics: Synthetics;
}

export const stateOver = (database: Database, tiers: Tiers): ValidatorState => ({
  database,
  inventories: createInventories(database),
  standings: createStandings(database, tiers),
  weights: createWeightHistory(database),
  repairs: createRepairs(database, () => systemClock.nowMs()),
  pings: createPings(database),
  book: createAuditBook(database),
  receipts: createWaitingReceipts(database),
  dropProbes: createDropProbes(database),
  synthetics: createSynthetics(database),
});
