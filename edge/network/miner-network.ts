/**
 * The miners as this edge sees them: the directory that the tenant published, read at most every ten seconds per
 * isolate, each miner with its groups and the URL that its address becomes. Flows ask for `peers`.
 */
import type { PeerSource } from '#edge/ports.ts';
import type { DirectorySnapshot, MinerAddress, MinerDirectory } from '#shared/index/ports.ts';
import { groupsOf, internetGroups, loopbackGroups, type NetworkGroups } from '#shared/placement/groups.ts';
import type { Clock } from '#shared/primitives/effects.ts';
import type { Peer } from '#shared/transfer/ports.ts';

export const DIRECTORY_CACHE_MS = 10_000;

/** What an isolate remembers between requests. */
export interface DirectoryCache {
  known?: { readonly readAtMs: number; readonly snapshot: DirectorySnapshot; readonly peers: readonly Peer[] };
}

/** The origin for an address; undefined when this edge must not or cannot talk to it. */
export type MinerUrl = (address: MinerAddress) => string | undefined;

/** Loopback addresses occur on one machine only, where the port tells networks apart (design, "Local by default"). */
const networkGroups: NetworkGroups = (address) =>
  address.ip.startsWith('127.') || address.ip === '::1' ? loopbackGroups(address) : internetGroups(address);

export function minerNetwork(
  directory: Pick<MinerDirectory, 'read'>,
  minerUrl: MinerUrl,
  cache: DirectoryCache,
  clock: Clock,
): PeerSource {
  const current = async () => {
    const nowMs = clock.nowMs();
    const { known } = cache;
    if (known && nowMs - known.readAtMs < DIRECTORY_CACHE_MS) return known;
    const snapshot = await directory.read();
    const peers = snapshot.miners.flatMap((miner): Peer[] => {
      const url = minerUrl(miner.address);
      if (url === undefined) return [];
      const { number, hotkey, freeBytes, accepting } = miner;
      return [{ number, hotkey, url, groups: groupsOf(miner, networkGroups), freeBytes, accepting }];
    });
    const fresh = { readAtMs: nowMs, snapshot, peers };
    cache.known = fresh;
    return fresh;
  };
  return {
    peers: async () => (await current()).peers,
    snapshot: async () => (await current()).snapshot,
  };
}
