/**
 * How much more a miner may be entrusted with under its tier: the tier's limit less what it owes this tenant already.
 * `publish-miners.ts` puts it into the directory, so that no edge and no repair places more; a miner above its limit
 * (it fell a tier) keeps what it has.
 */
import type { Tier } from '#shared/tier/table.ts';

/** A directory counts bytes as plain numbers; the highest tiers' limits are beyond what those hold exactly. */
export function limitBytesOf({ storageLimitBytes }: Pick<Tier, 'storageLimitBytes'>): number {
  return Number(storageLimitBytes > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : storageLimitBytes);
}

export const tierAllowance = (tier: Pick<Tier, 'storageLimitBytes'>, owedBytes: number): number =>
  Math.max(0, limitBytesOf(tier) - owedBytes);
