/**
 * Waits until this process may work: the lease is free (or was ours: a process that died on this very folder), the folder
 * can be opened, and it is not behind what the last holder told. A folder that is behind lacks records of rounds and
 * verdicts; working with it would ask rounds a second time and fork the chains of requests, which miners keep as
 * evidence. Called by `main.ts` at every start.
 */
import { HeldLease, type LeasePorts, type LeaseTimes } from './held-lease.ts';

export interface StandByInput<State> {
  readonly holder: string;
  readonly times: LeaseTimes;
  /** Opens the folder; rejects with `FolderBusy` while another process has it. */
  readonly open: (lease: HeldLease) => State;
  readonly isBusy: (error: unknown) => boolean;
  readonly close: (state: State) => void;
  readonly progressOf: (state: State) => number;
  /** The operator says that the folder's gap is known and accepted. */
  readonly evenIfBehind: boolean;
}

export interface Leading<State> {
  readonly lease: HeldLease;
  readonly state: State;
  /** How far behind the folder is: chains of requests must begin anew. */
  readonly behind: number;
}

/** Rejects with the signal's reason when that ends the wait. */
export async function standBy<State>(
  ports: LeasePorts,
  input: StandByInput<State>,
  signal: AbortSignal,
): Promise<Leading<State>> {
  const { log, clock } = ports;
  let said: string | undefined;
  const say = (event: string, fields: Readonly<Record<string, unknown>>) => {
    if (said !== event) log.warn(event, fields);
    said = event;
  };
  for (;;) {
    signal.throwIfAborted();
    try {
      const leading = await attempt(ports, input, say);
      if (leading) return leading;
    } catch (error) {
      if (!isIndexAway(error)) throw error;
      say('stand-by-index-away', { reason: (error as Error).message });
    }
    await clock.sleep(input.times.renewMs, signal);
  }
}

const isIndexAway = (error: unknown): boolean => error instanceof Error && error.name === 'IndexUnavailable';

async function attempt<State>(
  ports: LeasePorts,
  input: StandByInput<State>,
  say: (event: string, fields: Readonly<Record<string, unknown>>) => void,
): Promise<Leading<State> | undefined> {
  const { leadership, clock, steadyMs } = ports;
  const { holder, times } = input;
  const asked = { wall: clock.nowMs(), steady: steadyMs() };
  const { leader: present, progress } = await leadership.read();
  if (present && present.holder !== holder) {
    say('stand-by', { leader: present.holder, fence: present.fence });
    return undefined;
  }
  // Ours from before: on this folder only one process can be, so that one is dead.
  const leader = present
    ? (await leadership.renew(present, times.ttlMs))
      ? present
      : undefined
    : await leadership.take(holder, times.ttlMs);
  if (!leader) return undefined;
  const lease = new HeldLease(ports, times, leader, asked);
  let state: State;
  try {
    state = input.open(lease);
  } catch (error) {
    // Before giving up: the folder may be in use by the very process that the lease was taken up from.
    if (!present) await lease.release();
    if (!input.isBusy(error)) throw error;
    say('stand-by-folder-busy', { reason: (error as Error).message });
    return undefined;
  }
  const behind = Math.max(0, progress - input.progressOf(state));
  if (behind > 0 && !input.evenIfBehind) {
    input.close(state);
    await lease.release();
    say('folder-behind', { behind, remedy: 'see docs/run-a-validator.md, "A stand-by"' });
    return undefined;
  }
  lease.keepUp(() => input.progressOf(state));
  return { lease, state, behind };
}
