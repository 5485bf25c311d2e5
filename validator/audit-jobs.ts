/**
 * The jobs that hold miners to what they owe, as the schedule takes them: receipts into inventories, rounds, sweeps; and
 * the ledger that they write. Opened by `main.ts`, which also closes it, after the schedule has stopped.
 */
import { systemRandom } from '#shared/primitives/effects.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { VerifySr25519 } from '#shared/primitives/signer.ts';
import { nodeFastHashing } from '#shared/proof/node-fast-hashing.ts';
import { loadNodeZkKernel } from '#shared/proof/zk/node-zk-kernel.ts';
import { voidOpenRequests } from './flows/audit/ask-miners.ts';
import type { AuditPorts } from './flows/audit/audit-ports.ts';
import { challengeMiners } from './flows/audit/challenge-miners.ts';
import { sweepMiners } from './flows/audit/sweep-miners.ts';
import { takeReceipts } from './flows/take-receipts.ts';
import { Ledger } from './ledger/ledger.ts';
import type { ValidatorPorts } from './ports.ts';
import type { Job } from './schedule.ts';
import type { ValidatorSettings } from './settings.ts';
import type { ValidatorState } from './state/open-state.ts';

export interface Audits {
  readonly jobs: readonly Job[];
  readonly ledger: Ledger;
  close(): Promise<void>;
}

/** @param edges who stores in our name */
export async function openAudits(
  ports: ValidatorPorts,
  state: ValidatorState,
  { everyMs, dataDir, audit: { roundBlocks, answersMs } }: ValidatorSettings,
  verify: VerifySr25519,
  edges: () => Promise<readonly Hotkey[]>,
): Promise<Audits> {
  const { database, inventories, standings, book, receipts, repairs } = state;
  const ledger = await Ledger.open(dataDir, database, ports.clock, { answersMs });
  book.describe(ports.network, ports.signer.hotkey, roundBlocks);
  const audit: AuditPorts = {
    ...ports,
    ...{ database, inventories, standings, book, ledger, verify },
    losses: repairs,
    random: systemRandom,
    fast: nodeFastHashing(),
    zkKernel: loadNodeZkKernel,
  };
  await voidOpenRequests(audit);
  const taking = { ...ports, database, inventories, receipts, ledger, verify, edges };
  // Both extend the same chains of requests: never at the same time.
  const inTurn = turns();
  return {
    ledger,
    jobs: [
      { name: 'receipts', everyMs: everyMs.receipts, run: (signal) => takeReceipts(taking, signal) },
      {
        name: 'challenge',
        everyMs: everyMs.challenge,
        run: (signal) => inTurn(() => challengeMiners(audit, { roundBlocks }, signal)),
      },
      {
        name: 'sweep',
        everyMs: everyMs.sweep,
        run: (signal) => inTurn(() => sweepMiners(audit, { roundBlocks }, signal)),
      },
    ],
    close: () => ledger.close(),
  };
}

/** One after another, in the order asked; a failure stops nobody else. */
function turns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
}
