/**
 * Availability: asks every miner for its signed health. More than five failed pings in a row are a strike (one answered
 * "silent" in a batch of the task `monitor`) and the repair of what the miner held; a miner that comes back keeps what
 * was not replaced. One that announces that it leaves is drained and costs itself nothing. A hotkey that left the subnet
 * is drained too once that is due, then forgotten with its record.
 */
import type { Hotkey } from '#shared/primitives/ids.ts';
import { nextPing, type PingAnswer } from '#validator/domain/next-ping.ts';
import type { TenantPorts } from '#validator/ports.ts';
import type { Pings } from '#validator/state/pings.ts';
import type { Inventories, StandingsBook } from '#validator/state/ports.ts';
import type { RepairPorts } from './repair-ports.ts';
import { walkOf } from './walk-inventories.ts';

/** A ping that takes longer has failed. */
export const PING_MS = 5000;
/** What a hotkey that left still owes is looked at again after this long. */
const WALK_AGAIN_MS = 10 * 60_000;

/** When the inventory of a hotkey that left was last gone through. */
const walkedOf = (hotkey: Hotkey): string => `walked:${hotkey}`;

export interface MonitorPorts
  extends Pick<TenantPorts, 'registrations' | 'minerUrl' | 'miners' | 'clock' | 'log'>,
    Pick<RepairPorts, 'repairs' | 'transaction'> {
  readonly pings: Pings;
  readonly standings: Pick<StandingsBook, 'record' | 'forget'>;
  readonly inventories: Pick<Inventories, 'head'>;
  readonly departures: {
    list(): readonly { readonly hotkey: Hotkey; readonly leftAt: number; readonly due: boolean }[];
    settle(hotkey: Hotkey): Promise<void>;
  };
  /** The newest finalized block, for the record. */
  readonly blockNumber: () => number | undefined;
}

export interface MonitorReport {
  readonly asked: number;
  readonly answered: number;
  readonly down: number;
}

export async function monitor(ports: MonitorPorts, signal: AbortSignal): Promise<MonitorReport> {
  const registered = await ports.registrations.read();
  const present = registered.filter(({ leftAt }) => leftAt === undefined);
  const answers = await Promise.all(
    present.map(async (miner) => ({ hotkey: miner.hotkey, answer: await ping(ports, miner, signal) })),
  );
  signal.throwIfAborted();
  // One of us being cut off is not all of them being down.
  const answered = answers.filter(({ answer }) => answer !== 'silent').length;
  if (answered === 0 && present.length > 1) {
    ports.log.warn('no-miner-answers', { miners: present.length });
    return { asked: present.length, answered, down: 0 };
  }
  for (const { hotkey, answer } of answers) note(ports, hotkey, answer);
  forgetAbsent(ports, new Set(registered.map(({ hotkey }) => hotkey)));
  await settleDepartures(ports);
  const down = ports.pings.all().filter(({ state }) => state === 'down').length;
  return { asked: present.length, answered, down };
}

async function ping(
  { miners, minerUrl, clock }: MonitorPorts,
  { hotkey, address }: { readonly hotkey: Hotkey; readonly address: Parameters<MonitorPorts['minerUrl']>[0] },
  signal: AbortSignal,
): Promise<PingAnswer> {
  const url = minerUrl(address);
  if (url === undefined) return 'silent';
  const ended = new AbortController();
  const over = new AbortController();
  const limit = clock.sleep(PING_MS, AbortSignal.any([ended.signal, signal])).then(
    () => over.abort(),
    () => undefined,
  );
  const health = await miners.health({ hotkey, url }, AbortSignal.any([over.signal, signal]));
  ended.abort();
  await limit;
  if (!health.ok) return 'silent';
  return health.value.leaving ? 'leaving' : 'up';
}

/** One answer's consequences, in one transaction. */
function note(ports: MonitorPorts, hotkey: Hotkey, answer: PingAnswer): void {
  const { pings, standings, log, clock } = ports;
  const before = pings.find(hotkey);
  const nowMs = clock.nowMs();
  const { standing, change } = nextPing(hotkey, before, answer, nowMs);
  ports.transaction(() => {
    pings.write(standing);
    if (change === 'struck') {
      const evidence = `ping:${nowMs}`;
      const observation = {
        miner: hotkey,
        seconds: PING_MS / 1000,
        bytes: 0,
        reason: 'pings-failed',
        evidence,
      } as const;
      standings.record({
        id: `monitor:${hotkey}:${standing.lastAnswerMs}:${standing.strikes}`,
        ...{ task: 'monitor', atMs: nowMs, block: ports.blockNumber() },
        observations: [{ ...observation, ending: 'silent' }],
      });
    }
    // What it held is looked at anew, page by page (`walk-inventories.ts`), once.
    if (standing.state !== 'up' && standing.state !== before?.state) ports.repairs.setCursor(walkOf(hotkey), '');
  });
  if (change !== undefined) {
    const { failures, strikes } = standing;
    log[change === 'struck' ? 'warn' : 'info'](`miner-${change}`, { miner: hotkey, failures, strikes });
  }
}

function forgetAbsent({ pings, repairs }: MonitorPorts, registered: ReadonlySet<Hotkey>): void {
  for (const { hotkey } of pings.all()) {
    if (registered.has(hotkey)) continue;
    pings.forget(hotkey);
    repairs.setCursor(walkOf(hotkey), undefined);
  }
}

/** A hotkey that left: its record goes, what it held is repaired, and when it holds nothing any more it is forgotten. */
async function settleDepartures(ports: MonitorPorts): Promise<void> {
  const { departures, standings, inventories, repairs, clock, log, transaction } = ports;
  for (const { hotkey, leftAt, due } of departures.list()) {
    if (!due) continue;
    transaction(() => {
      if (standings.forget(hotkey, 'left-the-subnet', `block:${leftAt}`, clock.nowMs())) {
        log.info('record-forgotten', { miner: hotkey, leftAt });
      }
    });
    if (inventories.head(hotkey).shards === 0) {
      await departures.settle(hotkey);
      repairs.setCursor(walkedOf(hotkey), undefined);
      log.info('departure-settled', { miner: hotkey, leftAt });
    } else if (clock.nowMs() >= Number(repairs.cursor(walkedOf(hotkey)) ?? 0) + WALK_AGAIN_MS) {
      repairs.setCursor(walkOf(hotkey), '');
      repairs.setCursor(walkedOf(hotkey), `${clock.nowMs()}`);
    }
  }
}
