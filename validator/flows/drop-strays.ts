/**
 * Drops shards that were reported as belonging to nothing: losers of a race, leavings of an upload that failed, what
 * repair has replaced. The manifest is asked first: a faulty edge cannot have a shard dropped that a file names, nor one
 * of an upload that is open. Those whose time has not come, or whose miner does not answer, go back on the bounded list;
 * if they fall off it, collection finds them later.
 */
import type { StrayShard } from '#shared/index/ports.ts';
import { toHex } from '#shared/primitives/bytes.ts';
import type { AnchorId, MinerNumber } from '#shared/primitives/ids.ts';
import { judgeShard } from '#validator/domain/judge-shard.ts';
import type { TenantPorts } from '#validator/ports.ts';
import { isOwnIndex } from './index-gate.ts';
import { readKnownMiners } from './known-miners.ts';
import { orderDrops } from './order-drops.ts';
import { factsOf } from './segment-facts.ts';

const TAKE = 1000;

type Ports = Pick<
  TenantPorts,
  'files' | 'directory' | 'miners' | 'registrations' | 'minerUrl' | 'indexMarks' | 'clock' | 'log'
>;

const anchorOf = ({ anchorId }: StrayShard): AnchorId => toHex(anchorId) as AnchorId;

export async function dropStrays(ports: Ports, signal: AbortSignal): Promise<number> {
  if (!(await isOwnIndex(ports, 'drop-strays'))) return 0;
  const strays = await ports.files.takeStrays(TAKE);
  if (strays.length === 0) return 0;
  let back = strays;
  let dropped = 0;
  try {
    const { due, later } = await judge(ports, strays);
    const known = await readKnownMiners(ports);
    const receipted = await orderDrops(ports, known, byMiner(due), 'stray', signal);
    dropped = [...receipted.values()].reduce((sum, anchors) => sum + anchors.size, 0);
    const left = due.filter((stray) => known.has(stray.miner) && !receipted.get(stray.miner)?.has(anchorOf(stray)));
    back = [...later, ...left];
  } finally {
    // Also when the run was broken off: what was taken and not dropped must not be forgotten.
    if (back.length > 0) await ports.files.addStrays(back);
  }
  return dropped;
}

/** Those that nothing explains, and those that an open upload may still name; what a file names is no stray. */
async function judge(
  ports: Ports,
  strays: readonly StrayShard[],
): Promise<{ readonly due: readonly StrayShard[]; readonly later: readonly StrayShard[] }> {
  const facts = await factsOf(ports, strays);
  const due: StrayShard[] = [];
  const later: StrayShard[] = [];
  for (const stray of strays) {
    const { miner, ref } = stray;
    const shard = { anchorId: anchorOf(stray), holdUntilMs: 0 };
    const known = facts.get(ref) ?? { uploadOpen: true, named: undefined };
    const verdict = judgeShard(shard, miner, known, ports.clock.nowMs(), 0);
    if (verdict === 'garbage') due.push(stray);
    else if (verdict === 'upload-open') later.push(stray);
    else ports.log.warn('stray-is-named', { miner, anchorId: shard.anchorId });
  }
  return { due, later };
}

function byMiner(strays: readonly StrayShard[]): ReadonlyMap<MinerNumber, readonly AnchorId[]> {
  const grouped = new Map<MinerNumber, AnchorId[]>();
  for (const stray of strays) {
    const anchors = grouped.get(stray.miner);
    if (anchors) anchors.push(anchorOf(stray));
    else grouped.set(stray.miner, [anchorOf(stray)]);
  }
  return grouped;
}
