/**
 * The miners as repair sees them at one moment: who can be read from, who can get a shard, who is gone. From the
 * registrations (who exists), the directory (who has room), the monitor (who is down or leaves) and the departures.
 */
import { groupsOf } from '#shared/placement/groups.ts';
import type { Hotkey, MinerNumber } from '#shared/primitives/ids.ts';
import type { Peer } from '#shared/transfer/ports.ts';
import type { MinerCondition } from '#validator/domain/classify-segment.ts';
import type { RepairPorts } from './repair-ports.ts';

export interface NetworkView {
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
    if (accepting) candidates.push(peer);
  }
  return {
    sources,
    candidates,
    // A number that nobody has any more: its hotkey left and is forgotten.
    conditionOf: (miner) => conditions.get(miner) ?? 'gone',
    hotkeyOf: (miner) => hotkeys.get(miner),
  };
}
