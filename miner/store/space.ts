/**
 * The one answer to "is there room": the miner's capacity, each tenant's quota, and a floor of free disk that is never
 * eaten into. Space is reserved before a request is accepted (the early 202), so that a shard is refused up front and
 * not half-way. Pure bookkeeping; the free disk comes in as a function. Owned by `shard-store.ts`.
 */
import { type Failure, fail, invariant, type Result, succeed } from '#shared/primitives/failure.ts';

export type SpaceFailure = Failure & { readonly code: 'full' | 'disk-floor' | 'tenant-quota' };

/** Bytes promised to one request. What was not used goes back with `release`; calling that twice is harmless. */
export interface Reservation {
  /** Bytes still promised. */
  readonly left: number;
  /** `bytes` of the promise are now one stored shard. */
  use(bytes: number): void;
  release(): void;
}

export interface SpaceSettings {
  /** Most shard bytes of all tenants together. */
  readonly capacityBytes: number;
  /** Free bytes of the file system that stay free. */
  readonly freeFloorBytes: number;
}

/** How long one look at the file system counts; what was promised or stored since is subtracted from it. */
const PROBE_MS = 1000;

interface Account {
  quotaBytes: number;
  usedBytes: number;
  reservedBytes: number;
}

export class Space {
  readonly #settings: SpaceSettings;
  readonly #probeFree: () => number;
  readonly #nowMs: () => number;
  readonly #accounts = new Map<number, Account>();
  #used = 0;
  #shards = 0;
  #reserved = 0;
  #storedSinceProbe = 0;
  #freeAtProbe = 0;
  #probedAtMs = Number.NEGATIVE_INFINITY;

  constructor(settings: SpaceSettings, probeFree: () => number, nowMs: () => number) {
    this.#settings = settings;
    this.#probeFree = probeFree;
    this.#nowMs = nowMs;
  }

  /** Opens the books of a tenant with what it has on disk. */
  addTenant(tenant: number, quotaBytes: number, usedBytes: number, shards: number): void {
    this.#accounts.set(tenant, { quotaBytes, usedBytes, reservedBytes: 0 });
    this.#used += usedBytes;
    this.#shards += shards;
  }

  /** What is stored and promised already stays so. */
  setQuota(tenant: number, quotaBytes: number): void {
    this.#account(tenant).quotaBytes = quotaBytes;
  }

  #account(tenant: number): Account {
    const account = this.#accounts.get(tenant);
    invariant(account, 'every admitted tenant has an account');
    return account;
  }

  /** Shards on disk, of all tenants. */
  get shards(): number {
    return this.#shards;
  }

  /** Bytes of shards on disk, of all tenants. */
  get storedBytes(): number {
    return this.#used;
  }

  usedBytes(tenant: number): number {
    return this.#account(tenant).usedBytes;
  }

  get capacityBytes(): number {
    return this.#settings.capacityBytes;
  }

  /** What could be reserved right now: by capacity and by the disk, whichever is less. */
  freeBytes(): number {
    const byCapacity = this.#settings.capacityBytes - this.#used - this.#reserved;
    return Math.max(0, Math.min(byCapacity, this.#freeDisk() - this.#settings.freeFloorBytes));
  }

  #freeDisk(): number {
    const now = this.#nowMs();
    if (now - this.#probedAtMs >= PROBE_MS || now < this.#probedAtMs) {
      this.#freeAtProbe = this.#probeFree();
      this.#probedAtMs = now;
      this.#storedSinceProbe = 0;
    }
    // A promise half written counts twice here (gone from the disk, still promised): never too little.
    return this.#freeAtProbe - this.#storedSinceProbe - this.#reserved;
  }

  reserve(tenant: number, bytes: number): Result<Reservation, SpaceFailure> {
    const account = this.#account(tenant);
    if (account.usedBytes + account.reservedBytes + bytes > account.quotaBytes) {
      return fail({ code: 'tenant-quota', fault: 'caller', message: `the quota is ${account.quotaBytes} bytes` });
    }
    if (bytes > this.#settings.capacityBytes - this.#used - this.#reserved) {
      return fail({ code: 'full', fault: 'us', message: `${this.freeBytes()} bytes are left` });
    }
    if (bytes > this.#freeDisk() - this.#settings.freeFloorBytes) {
      return fail({ code: 'disk-floor', fault: 'us', message: `${this.freeBytes()} bytes are left` });
    }
    let left = bytes;
    account.reservedBytes += bytes;
    this.#reserved += bytes;
    const giveBack = (count: number) => {
      left -= count;
      account.reservedBytes -= count;
      this.#reserved -= count;
    };
    return succeed({
      get left() {
        return left;
      },
      use: (used) => {
        invariant(used <= left, 'no more is used than was reserved');
        giveBack(used);
        account.usedBytes += used;
        this.#used += used;
        this.#shards++;
        this.#storedSinceProbe += used;
      },
      release: () => giveBack(left),
    });
  }

  /** One stored shard is gone again: erased, or found lost. */
  free(tenant: number, bytes: number): void {
    const account = this.#account(tenant);
    account.usedBytes -= bytes;
    this.#used -= bytes;
    this.#shards--;
  }
}
