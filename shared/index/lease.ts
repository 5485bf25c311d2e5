/**
 * Short leases on one CID of an owner (commits) or one file (changes, deletion, repair), by SET NX PX. A lease is
 * taken in the same transaction as the reads that the holder decides by. A file's lease is released by the transaction
 * that changes the file; a commit's is left to end by itself, since whoever sees the file needs no lease. Nobody waits
 * for a dead holder longer than LEASE_MS.
 *
 * Time and safety: a holder writes only within WRITE_WITHIN_MS of asking for the lease, and gives its write up
 * REQUEST_TIMEOUT_MS later. So a write could outlive its lease only if the index took it up more than 2 s after its
 * client was gone. Writers bear even that, see `redis-file-index.ts`.
 */
import type { Clock } from '#shared/primitives/effects.ts';
import { IndexUnavailable } from './ports.ts';

export const LEASE_MS = 10_000;
/** LEASE_MS less REQUEST_TIMEOUT_MS less 2 s. */
export const WRITE_WITHIN_MS = 4_000;
const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 500;

/** A lease we hold: `askedAtMs` was before the index could have granted it. */
export interface Lease {
  readonly askedAtMs: number;
}

/** True when the lease may have ended by now, whatever the replies say. */
export const mayHaveEnded = (clock: Clock, lease: Lease): boolean => clock.nowMs() - lease.askedAtMs >= LEASE_MS;

/**
 * Runs `attempt` until it says that it did not meet a lease of somebody else.
 * @param attempt asks for the lease and does its work; undefined says that somebody holds it
 */
export async function withLease<T>(clock: Clock, attempt: (lease: Lease) => Promise<T | undefined>): Promise<T> {
  const startedAtMs = clock.nowMs();
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    const done = await attempt({ askedAtMs: clock.nowMs() });
    if (done !== undefined) return done;
    if (clock.nowMs() - startedAtMs > 2 * LEASE_MS) throw new IndexUnavailable('a lease is held without end');
    await clock.sleep(waitMs);
  }
}

/** Throws when it has become too late to write under the lease; it then ends by itself. */
export function checkInTime(clock: Clock, lease: Lease): void {
  if (clock.nowMs() - lease.askedAtMs > WRITE_WITHIN_MS) throw new IndexUnavailable('the index answers too slowly');
}
