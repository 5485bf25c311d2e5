/**
 * Which of some shards a manifest names, and on whom: what turns a receipt, or a shard that a miner lists, into a shard
 * that it owes. Asked by `take-receipts.ts` and, for what the index's bounded list lost, by collection.
 */
import type { FileIndex, FileRecord } from '#shared/index/ports.ts';
import { type AnchorId, type FileNumber, type Hotkey, type MinerNumber, splitRef } from '#shared/primitives/ids.ts';
import { POR_ANCHOR_TYPE } from '#shared/proof/any-anchor.ts';
import type { ShardListing } from '#shared/wire/ports.ts';
import { type NamedShard, namedShards } from '#validator/domain/slot-anchors.ts';
import type { Inventories, OwedShard } from '#validator/state/ports.ts';

/** A shard that is said to belong to a segment. */
interface Claim {
  readonly segment: number;
  readonly anchorId: AnchorId;
  readonly miner: MinerNumber | undefined;
  readonly hotkey: Hotkey;
}

export interface MinersShard {
  readonly miner: Hotkey;
  readonly shard: OwedShard;
}

/** Of these claims those that the manifest confirms: this anchor, stored, on this miner. One read a segment. */
export async function confirmedBy(
  files: Pick<FileIndex, 'readSegments'>,
  file: FileRecord,
  claims: readonly Claim[],
): Promise<readonly MinersShard[]> {
  const found: MinersShard[] = [];
  for (const segment of new Set(claims.map((claim) => claim.segment))) {
    if (segment >= file.segments) continue;
    const [record] = await files.readSegments(file, segment, 1);
    const named = record ? namedShards(file, segment, record) : [];
    for (const claim of claims.filter((candidate) => candidate.segment === segment)) {
      const shard = named.find((candidate) => names(candidate, claim));
      if (shard) found.push({ miner: claim.hotkey, shard: owedShard(file, shard) });
    }
  }
  return found;
}

const names = ({ anchorId, slot }: NamedShard, claim: Claim): boolean =>
  anchorId === claim.anchorId && slot.miner === claim.miner && slot.state === 'stored';

/** A shard of a manifest as its miner owes it. */
const owedShard = (
  { number, anchorType }: FileRecord,
  { slot, anchorId, bytes, segment, shardIndex }: NamedShard,
): OwedShard => ({
  anchorId,
  anchorType: anchorType ?? POR_ANCHOR_TYPE,
  root: slot.root,
  bytes,
  place: { file: number, segment, shardIndex, placement: slot.placement },
});

/** Files of one page of a listing that are looked up; the next walk of the listing goes on. */
const FILES_PER_PAGE = 256;

/**
 * What a miner lists, the manifest names, and nobody holds it to: the receipt was lost on its way. How many it owes now
 * that it did not before. Shards of open uploads are left to their receipts.
 */
export async function oweListed(
  { files, inventories }: { readonly files: FileIndex; readonly inventories: Inventories },
  miner: MinerNumber,
  hotkey: Hotkey,
  held: readonly Pick<ShardListing, 'anchorId' | 'ref'>[],
): Promise<number> {
  const claims = new Map<FileNumber, Claim[]>();
  for (const { anchorId, ref } of held) {
    if (inventories.find(hotkey, anchorId)) continue;
    const { file, segment } = splitRef(ref);
    const known = claims.get(file) ?? [];
    if (known.length === 0 && claims.size >= FILES_PER_PAGE) continue;
    claims.set(file, [...known, { segment, anchorId, miner, hotkey }]);
  }
  let owed = 0;
  for (const [number, some] of claims) {
    if (await files.uploadOpen(number)) continue;
    const file = await files.readFile(number);
    const confirmed = file ? await confirmedBy(files, file, some) : [];
    for (const { shard } of confirmed) if (inventories.add(hotkey, shard)) owed++;
  }
  return owed;
}
