/**
 * What a miner knows of its chain, and how a look at it changes that: pure. Tenants are the validators with a permit and
 * stake; who lost its permit keeps what it has stored for a week and gets nothing more, so that one epoch without a
 * permit costs nobody a file. Kept on disk (`chain-file.ts`), so that a miner starts while the chain is away.
 */
import type { KnownValidator } from '#shared/chain/raw/read-validators.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';

/** How long a validator that lost its permit is served and may drop. */
export const FORMER_TENANT_MS = 7 * 24 * 3_600_000;

export interface ChainView {
  /** Hex of block 0's hash: which chain this is. */
  readonly genesisHash: string;
  readonly netuid: number;
  /** The newest finalized block that was looked at. */
  readonly block: number;
  readonly tenants: readonly { readonly hotkey: Hotkey; readonly seenMs: number; readonly current: boolean }[];
  /** Our uid; undefined while we have none. */
  readonly uid: number | undefined;
  /** When we were first seen without the place that we had had; undefined while we have one, or never had one. */
  readonly leftMs: number | undefined;
}

export interface Look {
  readonly block: number;
  readonly validators: readonly KnownValidator[];
  readonly uid: number | undefined;
  readonly nowMs: number;
}

export function nextView(before: ChainView, look: Look, minStakeRao: bigint): ChainView {
  // A node that lags behind knows less than we do: it may not know of our registration yet.
  if (look.block < before.block) return before;
  const { block, uid, nowMs } = look;
  const permitted = look.validators.filter(({ stake }) => stake > 0n && stake >= minStakeRao);
  const now = new Set(permitted.map(({ hotkey }) => hotkey));
  const former = before.tenants
    .filter(({ hotkey, seenMs }) => !now.has(hotkey) && nowMs - seenMs < FORMER_TENANT_MS)
    .map((tenant) => ({ ...tenant, current: false }));
  const tenants = [...permitted.map(({ hotkey }) => ({ hotkey, seenMs: nowMs, current: true })), ...former];
  const had = before.uid !== undefined || before.leftMs !== undefined;
  const leftMs = uid === undefined && had ? (before.leftMs ?? nowMs) : undefined;
  return { ...before, block, tenants, uid, leftMs };
}
