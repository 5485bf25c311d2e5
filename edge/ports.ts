/**
 * What the edge's flows need of the world. `worker.ts` makes one of these per request from the environment and the
 * isolate's state; tests make them of fakes. Per request, because a Worker may not use one request's sockets, timers
 * or promises on behalf of another; what outlives a request is plain data.
 */
import type { NetworkHistory } from '#shared/index/network-ports.ts';
import type { AccessIndex, DirectorySnapshot, FileIndex } from '#shared/index/ports.ts';
import type { UploadIndex } from '#shared/index/upload-ports.ts';
import type { Clock, Log, Random } from '#shared/primitives/effects.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { Budget, FetchSegments, Peer, StoreSegments, TransferPorts } from '#shared/transfer/ports.ts';
import type { EdgeResult } from './http/problem.ts';
import type { Admission } from './network/admission.ts';
import type { Settings } from './settings.ts';

/** The miners of the moment, as the engines want them. */
export interface PeerSource {
  /** At most DIRECTORY_CACHE_MS old. */
  peers(): Promise<readonly Peer[]>;
  snapshot(): Promise<DirectorySnapshot>;
}

export type GrantState =
  | { readonly state: 'valid'; readonly untilMs: number }
  | { readonly state: 'absent' | 'expired' | 'not-yet' | 'wrong' };

export interface Grants {
  /** statement ‖ signature of the newest grant, as miners want it; undefined when the tenant gave none. */
  signed(): Promise<Uint8Array | undefined>;
  state(): Promise<GrantState>;
}

/** How the secret of the newest mask epoch stands with the index. */
export type MaskSecretState = 'right' | 'wrong' | 'unused' /** no file of this epoch was stored yet */;

export interface MaskSecrets {
  readonly newestEpoch: number;
  state(): Promise<MaskSecretState>;
  /** The newest epoch's secret, for a new file; the first use with an index binds the epoch to it. */
  forStoring(): Promise<EdgeResult<Uint8Array>>;
  /** The secret of a stored file's epoch. */
  forReading(maskEpoch: number): Promise<EdgeResult<Uint8Array>>;
}

/** A digest that takes a file piece by piece. */
export interface StreamingDigest {
  update(piece: Uint8Array): void;
  finish(): Uint8Array;
}

export interface EdgePorts {
  readonly settings: Settings;
  readonly hotkey: Hotkey;
  readonly files: FileIndex;
  readonly uploads: UploadIndex;
  readonly access: AccessIndex;
  readonly history: NetworkHistory;
  readonly network: PeerSource;
  readonly grants: Grants;
  readonly maskSecrets: MaskSecrets;
  readonly transfer: TransferPorts;
  readonly storeSegments: StoreSegments;
  readonly fetchSegments: FetchSegments;
  readonly newSha256: () => StreamingDigest;
  /** Shares the isolate's memory among requests. */
  readonly admission: Admission;
  readonly newBudget: (limitBytes: number) => Budget;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Lets work outlive the response (30 s in production). */
  readonly background: (work: Promise<unknown>) => void;
}
