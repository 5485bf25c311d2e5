/**
 * The miners as repair sees them at one moment: who can be read from, who can get a shard, who is gone. From the
 * registrations (who exists), the directory (who has room), the monitor (who is down or leaves) and the departures.
 */
import { groupsOf } from '#shared/placement/groups.ts';
import type { Hotkey, MinerNumber } from '#shared/primitives/ids.ts';
import type { Peer } from '#shared/transfer/ports.ts';
import type { MinerCondition } from '#validator/domain/classify-segment.ts';
import type { Crowd } from '#validator/domain/crowded-shards.ts';
import type { RepairPorts } from './repair-ports.ts';

/** A miner with less of its capacity free gives shards away, to those that have more. */
const FULL_SHARE = 0.03;
const ROOMY_SHARE = 0.2;

export interface NetworkView extends Crowd {
  readonly sources: ReadonlyMap<MinerNumber, Peer>;
  readonly candidates: readonly Peer[];
  conditionOf(miner: MinerNumber): MinerCondition;
  hotkeyOf(miner: MinerNumber): Hotkey | undefined;
}

export type ViewPorts = Pick<
  RepairPorts,
  'directory' | 'registrations' | 'minerUrl' | 'departures' | 'pings' | 'networkGroups'
>;

export async function viewNetwork(ports: ViewPorts): Promise<NetworkView> {
  const [registered, directory] = await Promise.all([ports.registrations.read(), ports.directory.read()]);
  const numbers = await ports.directory.numberOf(registered.map(({ hotkey }) => hotkey));
  const listed = new Map(directory.miners.map((entry) => [entry.hotkey, entry]));
  const pings = new Map(ports.pings.all().map((standing) => [standing.hotkey, standing.state]));
  const due = new Set(ports.departures.list().flatMap(({ hotkey, due }) => (due ? [hotkey] : [])));

  const conditions = new Map<MinerNumber, MinerCondition>();
  const hotkeys = new Map<MinerNumber, Hotkey>();
  const sources = new Map<MinerNumber, Peer>();
  const candidates: Peer[] = [];
  const freeShares = new Map<MinerNumber, number>();
  for (const miner of registered) {
    const { hotkey, address, leftAt } = miner;
    const number = numbers.get(hotkey);
    if (number === undefined) continue;
    const ping = pings.get(hotkey) ?? 'up';
    const condition = ping === 'down' ? 'gone' : ping === 'leaving' || due.has(hotkey) ? 'leaving' : 'well';
    hotkeys.set(number, hotkey);
    conditions.set(number, condition);
    const url = ports.minerUrl(address);
    if (condition === 'gone' || url === undefined) continue;
    const entry = listed.get(hotkey);
    const accepting = condition === 'well' && leftAt === undefined && entry?.accepting === true;
    const groups = groupsOf(miner, ports.networkGroups);
    const peer: Peer = { hotkey, url, number, groups, freeBytes: entry?.freeBytes ?? 0, accepting };
    sources.set(number, peer);
    if (entry && entry.capacityBytes > 0) freeShares.set(number, entry.freeBytes / entry.capacityBytes);
    if (accepting) candidates.push(peer);
  }
  const roomy = candidates.filter(({ number }) => (freeShares.get(number) ?? 0) >= ROOMY_SHARE).length;
  // Half of the network has to be roomy: else everybody is about to be full, and moving helps nobody.
  const isOverfull = (miner: MinerNumber) => 2 * roomy >= sources.size && (freeShares.get(miner) ?? 1) < FULL_SHARE;
  return {
    sources,
    candidates: candidates.filter(({ number }) => !isOverfull(number)),
    // A number that nobody has any more: its hotkey left and is forgotten.
    conditionOf: (miner) => conditions.get(miner) ?? 'gone',
    groupsOf: (miner) => sources.get(miner)?.groups,
    isOverfull,
    hotkeyOf: (miner) => hotkeys.get(miner),
  };
}
