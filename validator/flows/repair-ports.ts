/** What repair, survey and level need beyond the tenant's ports. Filled by `main.ts`. */
import type { NetworkGroups } from '#shared/placement/groups.ts';
import type { Failure, Result } from '#shared/primitives/failure.ts';
import type { Budget, TransferPorts } from '#shared/transfer/ports.ts';
import type { Departures, TenantPorts } from '#validator/ports.ts';
import type { Pings } from '#validator/state/pings.ts';
import type { Inventories } from '#validator/state/ports.ts';
import type { Repairs } from '#validator/state/repairs.ts';

export type MaskSecretFailure = Failure & { readonly code: 'mask-secret' };

/** The tenant's mask secrets, each given only after the index agreed that it is the right one (por/v1 §3). */
export interface MaskSecrets {
  of(maskEpoch: number): Promise<Result<Uint8Array, MaskSecretFailure>>;
}

export interface RepairSettings {
  /** How long a segment above its repair threshold waits for its miners to come back. */
  readonly delayMs: number;
  /** First pause after a failed attempt; it doubles up to `MAX_PAUSES` times. */
  readonly retryMs: number;
  /** For miners: how long a shard that no record names yet is kept from collection. */
  readonly holdMs: number;
  /** Segments repaired at the same time. */
  readonly atOnce: number;
}

export interface RepairPorts
  extends Pick<
    TenantPorts,
    'files' | 'directory' | 'registrations' | 'indexMarks' | 'minerUrl' | 'miners' | 'clock' | 'log'
  > {
  readonly departures: Pick<Departures, 'list'>;
  readonly transfer: TransferPorts;
  readonly budget: Budget;
  readonly bandwidth: Bandwidth;
  readonly inventories: Inventories;
  readonly repairs: Repairs;
  readonly pings: Pick<Pings, 'all'>;
  readonly maskSecrets: MaskSecrets;
  readonly networkGroups: NetworkGroups;
  /** All or nothing of what `work` writes to the validator's database. */
  readonly transaction: <T>(work: () => T) => T;
}

/** Bytes of repair per second. */
export interface Bandwidth {
  /** Waits until so many bytes may move. */
  take(bytes: number, signal: AbortSignal): Promise<void>;
}
