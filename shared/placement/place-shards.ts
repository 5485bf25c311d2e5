/**
 * Which miners get the shards of a segment: a hotkey at most one, a group at most ⌊(n−k)/2⌋, raised only as far as the
 * network forces it. A preference decides among what the limits allow, never against them. Called by the store engine
 * for a new segment and for each shard that has to go elsewhere; pure but for its `random`.
 *
 * Owner and network cut the miners in two ways, and a miner is where an owner and a network meet: an edge of a bipartite
 * graph. Choosing miners under a limit per group is then a flow problem, solved exactly by augmenting paths; a greedy
 * choice alone would call networks too small that are not.
 */
import type { Random } from '#shared/primitives/effects.ts';
import type { MinerNumber } from '#shared/primitives/ids.ts';

/** A miner as placement sees it; `Peer` of the engines is one. */
export interface Candidate {
  readonly number: MinerNumber;
  /** Owner group, then network groups, widest first (`groups.ts`); the narrower ones follow from the widest. */
  readonly groups: readonly string[];
  readonly freeBytes: number;
  readonly accepting: boolean;
}

export interface PlacementRequest<C extends Candidate> {
  readonly candidates: readonly C[];
  /** Shards to place. */
  readonly count: number;
  readonly shardBytes: number;
  /** `groupLimitOf(k, n)`. */
  readonly groupLimit: number;
  /** Hold, or are about to hold, other shards of this segment: they fill their groups and get no second shard. */
  readonly holders?: readonly C[];
  /** Were tried and failed, or are out for another reason. */
  readonly excluded?: ReadonlySet<MinerNumber>;
  /** Already spoken to: chosen before others, so that an upload stays with its open streams. */
  readonly preferred?: ReadonlySet<MinerNumber>;
  readonly expectedMs: (candidate: C) => number;
  readonly random: Random;
}

export interface Placement<C extends Candidate> {
  /** Quickest preference first; fewer than asked when there are not enough eligible miners. */
  readonly miners: readonly C[];
  /** The limit that had to be granted. */
  readonly groupLimit: number;
  /** True when it is more than asked for: the network has too few independent groups. */
  readonly concentrated: boolean;
}

/** ⌊(n−k)/2⌋: half of what a segment can lose. At least 1, or nothing could be placed. */
export const groupLimitOf = (k: number, n: number): number => Math.max(1, Math.floor((n - k) / 2));

/** Added to expected times before they are compared, so that two quick miners count as equally quick. */
const INDIFFERENCE_MS = 10;

/** Uniform in (0, 1], from 32 bits. */
function uniform(random: Random): number {
  const bytes = random(4);
  return (new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) + 1) / 2 ** 32;
}

/**
 * A weighted random order without replacement (Efraimidis and Spirakis 2006: sort by −ln(u)/w). The weight falls with
 * the square of the expected time: a miner twice as slow is first a quarter as often, and never starves.
 */
function preferenceOrder<C extends Candidate>(request: PlacementRequest<C>, eligible: readonly C[]): C[] {
  return eligible
    .map((candidate) => {
      const slowness = (INDIFFERENCE_MS + Math.max(0, request.expectedMs(candidate))) ** 2;
      return {
        candidate,
        later: request.preferred?.has(candidate.number) ? 0 : 1,
        key: -Math.log(uniform(request.random)) * slowness,
      };
    })
    .sort((a, b) => a.later - b.later || a.key - b.key)
    .map((row) => row.candidate);
}

const ownerOf = (candidate: Candidate): string => candidate.groups[0] ?? `alone:${candidate.number}`;
const networkOf = (candidate: Candidate): string => candidate.groups[1] ?? `alone:${candidate.number}`;

/** A choice of miners under one limit for all groups, grown one augmenting path at a time. */
class GroupFlow<C extends Candidate> {
  readonly #order: readonly C[];
  readonly #chosen = new Set<C>();
  readonly #load = new Map<string, number>();
  limit: number;

  constructor(order: readonly C[], holders: readonly C[], limit: number) {
    this.#order = order;
    this.limit = limit;
    for (const holder of holders) this.#count(holder, 1);
  }

  get chosen(): readonly C[] {
    return this.#order.filter((candidate) => this.#chosen.has(candidate));
  }

  #count(candidate: C, by: 1 | -1): void {
    for (const group of [ownerOf(candidate), networkOf(candidate)]) {
      this.#load.set(group, (this.#load.get(group) ?? 0) + by);
    }
  }

  #hasRoom(group: string): boolean {
    return (this.#load.get(group) ?? 0) < this.limit;
  }

  /** Chooses, in order of preference, up to `count` miners whose groups both have room. */
  fill(count: number): void {
    for (const candidate of this.#order) {
      if (this.#chosen.size >= count) return;
      if (this.#chosen.has(candidate) || !this.#hasRoom(ownerOf(candidate)) || !this.#hasRoom(networkOf(candidate))) {
        continue;
      }
      this.#chosen.add(candidate);
      this.#count(candidate, 1);
    }
  }

  /**
   * One miner more along a shortest augmenting path: from an owner with room over an unchosen miner to its network;
   * from a full network back over a chosen miner to that miner's owner; until a network with room is reached.
   */
  augment(): boolean {
    const via = new Map<string, { readonly candidate: C; readonly from: string }>();
    const roots = new Set(this.#order.map(ownerOf).filter((owner) => this.#hasRoom(owner)));
    let frontier = [...roots].map((owner) => `o ${owner}`);
    const seen = new Set(frontier);
    while (frontier.length > 0) {
      const next: string[] = [];
      for (const node of frontier) {
        for (const candidate of this.#order) {
          const owner = `o ${ownerOf(candidate)}`;
          const network = `n ${networkOf(candidate)}`;
          const [from, to] = this.#chosen.has(candidate) ? [network, owner] : [owner, network];
          if (from !== node || seen.has(to)) continue;
          seen.add(to);
          via.set(to, { candidate, from });
          if (to === network && this.#hasRoom(networkOf(candidate))) {
            this.#flip(to, via);
            return true;
          }
          next.push(to);
        }
      }
      frontier = next;
    }
    return false;
  }

  #flip(end: string, via: ReadonlyMap<string, { readonly candidate: C; readonly from: string }>): void {
    for (let step = via.get(end); step; step = via.get(step.from)) {
      const { candidate } = step;
      if (this.#chosen.delete(candidate)) this.#count(candidate, -1);
      else {
        this.#chosen.add(candidate);
        this.#count(candidate, 1);
      }
    }
  }
}

/** Chooses miners for `count` shards; see the head of this module for what is promised. */
export function placeShards<C extends Candidate>(request: PlacementRequest<C>): Placement<C> {
  const holders = request.holders ?? [];
  const held = new Set(holders.map((holder) => holder.number));
  const eligible = request.candidates.filter(
    (candidate) =>
      candidate.accepting &&
      candidate.freeBytes >= request.shardBytes &&
      !held.has(candidate.number) &&
      !request.excluded?.has(candidate.number),
  );
  const count = Math.min(request.count, eligible.length);
  const flow = new GroupFlow(preferenceOrder(request, eligible), holders, request.groupLimit);
  for (;;) {
    flow.fill(count);
    while (flow.chosen.length < count && flow.augment());
    if (flow.chosen.length >= count) break;
    flow.limit++;
  }
  return { miners: flow.chosen, groupLimit: flow.limit, concentrated: flow.limit > request.groupLimit };
}
