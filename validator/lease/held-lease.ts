/**
 * The lease while this process holds it: renewed on its own timer, checked before every write that counts. The check
 * asks no one: the lease is surely ours for so long after its last renewal was asked for, by the slower of two clocks.
 * While the index is away it lapses and all work pauses; when the index is back and nobody else ever took it, work goes
 * on; else it is lost for good and the process ends (`main.ts`).
 */

import type { Leader, Leadership } from '#shared/index/leadership.ts';
import { REQUEST_TIMEOUT_MS } from '#shared/index/redis-connection.ts';
import type { Clock, Log } from '#shared/primitives/effects.ts';

/** How late the index may take up a request that its client gave up (`shared/index/lease.ts`). */
const LATE_MS = 2_000;

/** The lease is not surely ours (any more): nothing that counts may be written. */
export class LeaseNotHeld extends Error {
  override readonly name = 'LeaseNotHeld';
}

export interface LeasePorts {
  readonly leadership: Leadership;
  readonly clock: Clock;
  /** Milliseconds that only grow; the wall clock may be set back. */
  readonly steadyMs: () => number;
  readonly log: Log;
}

export interface LeaseTimes {
  readonly ttlMs: number;
  readonly renewMs: number;
}

export class HeldLease {
  readonly leader: Leader;
  /** Resolves when somebody else has it. */
  readonly lost: Promise<void>;
  readonly #ports: LeasePorts;
  readonly #times: LeaseTimes;
  readonly #end = new AbortController();
  #askedMs: { readonly wall: number; readonly steady: number };
  #lapsed = false;
  #isLost = false;
  #tellLost: () => void = () => undefined;
  #renewing: Promise<void> = Promise.resolve();

  /** @param asked both clocks before the lease was asked for */
  constructor(
    ports: LeasePorts,
    times: LeaseTimes,
    leader: Leader,
    asked: { readonly wall: number; readonly steady: number },
  ) {
    this.#ports = ports;
    this.#times = times;
    this.leader = leader;
    this.#askedMs = asked;
    this.lost = new Promise((resolve) => {
      this.#tellLost = resolve;
    });
  }

  get isHeld(): boolean {
    const { clock, steadyMs } = this.#ports;
    // A machine that slept has a steady clock that slept too; one whose time was set back has a wrong wall clock.
    const elapsed = Math.max(clock.nowMs() - this.#askedMs.wall, steadyMs() - this.#askedMs.steady);
    return !this.#isLost && elapsed < this.#times.ttlMs - REQUEST_TIMEOUT_MS - LATE_MS;
  }

  /** Throws unless the lease is surely ours now. */
  check(): void {
    if (!this.isHeld) throw new LeaseNotHeld('another validator may be at work: the lease is not surely ours');
  }

  /** @param progress how far the folder has come */
  keepUp(progress: () => number): void {
    this.#renewing = this.#keepUp(progress);
  }

  async #keepUp(progress: () => number): Promise<void> {
    const { clock, log, leadership } = this.#ports;
    let told = -1;
    while (!this.#end.signal.aborted) {
      const asked = { wall: clock.nowMs(), steady: this.#ports.steadyMs() };
      try {
        if (!(await leadership.renew(this.leader, this.#times.ttlMs))) {
          this.#isLost = true;
          log.error('lease-lost', { ...this.leader });
          return this.#tellLost();
        }
        this.#askedMs = asked;
        if (this.#lapsed) log.info('lease-again', { ...this.leader });
        this.#lapsed = false;
        const now = progress();
        if (now !== told) await leadership.tell(this.leader, now);
        told = now;
      } catch (error) {
        if (!this.isHeld && !this.#lapsed) {
          this.#lapsed = true;
          log.warn('lease-lapsed', { reason: error instanceof Error ? error.message : String(error) });
        }
      }
      await clock.sleep(this.#times.renewMs, this.#end.signal).catch(() => undefined);
    }
  }

  /** Gives the lease back, so that a stand-by need not wait. */
  async release(): Promise<void> {
    this.#end.abort();
    await this.#renewing;
    if (this.#isLost) return;
    this.#isLost = true;
    await this.#ports.leadership.release(this.leader).catch(() => undefined);
  }
}

/** The same port, each of whose calls is refused while the lease is not surely ours. */
export const whileHeld = <Port extends object>(lease: Pick<HeldLease, 'check'>, port: Port): Port =>
  new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...parameters: unknown[]) => {
        lease.check();
        return Reflect.apply(member, target, parameters);
      };
    },
  });
