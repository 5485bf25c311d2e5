/**
 * Garbage collection (design, "Collect"): pages through what each miner holds for this tenant and has dropped what
 * nothing explains (`judge-shard.ts`). It runs only on the index that the tenant knows (`collect-gate.ts`), looks at
 * everything of a run before it drops anything, and stops for an operator when too much would go. What the manifest
 * names and the miner was never held to (its receipt was lost) it owes from then on (`owe-named.ts`).
 */
import type { AnchorId, MinerNumber } from '#shared/primitives/ids.ts';
import type { MinerPeer, ShardListing } from '#shared/wire/ports.ts';
import { type GarbageLimit, type GateRefusal, judgeGarbage, judgeIndex } from '#validator/domain/collect-gate.ts';
import { judgeShard } from '#validator/domain/judge-shard.ts';
import type { TenantPorts } from '#validator/ports.ts';
import { readKnownMiners } from './known-miners.ts';
import { orderDrops } from './order-drops.ts';
import { oweListed } from './owe-named.ts';
import { factsOf } from './segment-facts.ts';

/** Items of one page: what a miner lists at most. */
const PAGE = 1000;
/** Pages of one miner in one run; the next run goes on where this one stopped. */
const PAGES_PER_RUN = 16;

export interface CollectSettings {
  readonly graceMs: number;
  readonly limit: GarbageLimit;
}

/** Where each miner's listing goes on; made once, kept by the caller. */
export type CollectCursors = Map<MinerNumber, string>;

export interface CollectReport {
  readonly listed: number;
  readonly garbage: number;
  readonly dropped: number;
  readonly refused?: GateRefusal;
}

export async function collect(
  ports: TenantPorts,
  cursors: CollectCursors,
  settings: CollectSettings,
  signal: AbortSignal,
): Promise<CollectReport> {
  const refused = await passGate(ports);
  if (refused) return refuse(ports, refused, { listed: 0, garbage: 0, dropped: 0 });

  const known = await readKnownMiners(ports);
  const garbage = new Map<MinerNumber, AnchorId[]>();
  let listed = 0;
  for (const [miner, peer] of known) {
    if (!peer) continue;
    const found: AnchorId[] = [];
    listed += await surveyMiner(ports, cursors, miner, peer, settings.graceMs, found, signal);
    if (found.length > 0) garbage.set(miner, found);
  }
  const count = [...garbage.values()].reduce((sum, anchors) => sum + anchors.length, 0);
  const tooMuch = judgeGarbage(listed, count, settings.limit);
  if (tooMuch) return refuse(ports, tooMuch, { listed, garbage: count, dropped: 0 });
  const receipted = await orderDrops(ports, known, garbage, 'orphan', signal);
  const dropped = [...receipted.values()].reduce((sum, anchors) => sum + anchors.size, 0);
  if (count > 0) ports.log.info('garbage-collected', { listed, garbage: count, dropped });
  return { listed, garbage: count, dropped };
}

function refuse(ports: TenantPorts, refused: GateRefusal, report: CollectReport): CollectReport {
  ports.log.error('collection-stopped', {
    refused,
    ...report,
    remedy: 'see docs/run-a-validator.md, "Collection stopped"',
  });
  return { ...report, refused };
}

/** Checks the index against the tenant's own mark and moves both forward, so that any older state is recognised. */
async function passGate({ files, indexMarks }: TenantPorts): Promise<GateRefusal | undefined> {
  const [identity, mark] = await Promise.all([files.identity(), indexMarks.read()]);
  const refused = judgeIndex(identity, mark);
  if (refused) return refused;
  // First our own note, then the index: a crash in between leaves an epoch that the note allows.
  const { id, epoch } = identity;
  await indexMarks.write({ id, epoch, nextEpoch: epoch + 1 });
  const nextEpoch = await files.advanceEpoch();
  await indexMarks.write({ id, epoch: nextEpoch, nextEpoch });
  return undefined;
}

/** Walks some pages of one miner's listing; puts garbage into `found` and answers how many shards it looked at. */
async function surveyMiner(
  ports: TenantPorts,
  cursors: CollectCursors,
  miner: MinerNumber,
  peer: MinerPeer,
  graceMs: number,
  found: AnchorId[],
  signal: AbortSignal,
): Promise<number> {
  let listed = 0;
  let cursor = cursors.get(miner);
  for (let pages = 0; pages < PAGES_PER_RUN; pages++) {
    const page = await ports.miners.listShards(peer, cursor, PAGE, signal);
    signal.throwIfAborted();
    if (!page.ok) {
      ports.log.debug('listing-failed', { ...page.failure });
      break;
    }
    const held = page.value.items.filter((shard) => shard.state === 'held');
    listed += held.length;
    const owed = await oweListed(ports, miner, peer.hotkey, held);
    if (owed > 0) ports.log.info('receipts-made-up-for', { miner: peer.hotkey, shards: owed });
    for (const shard of await garbageOf(ports, miner, held, graceMs)) found.push(shard.anchorId);
    cursor = page.value.next;
    if (cursor === undefined) break;
  }
  if (cursor === undefined) cursors.delete(miner);
  else cursors.set(miner, cursor);
  return listed;
}

async function garbageOf(
  ports: TenantPorts,
  miner: MinerNumber,
  held: readonly ShardListing[],
  graceMs: number,
): Promise<readonly ShardListing[]> {
  const nowMs = ports.clock.nowMs();
  // Most shards are explained by their file; those still on hold need no question at all.
  const due = held.filter((shard) => nowMs >= shard.holdUntilMs + graceMs);
  const facts = await factsOf(ports, due);
  return due.filter((shard) => {
    const known = facts.get(shard.ref);
    return known !== undefined && judgeShard(shard, miner, known, nowMs, graceMs) === 'garbage';
  });
}
