/**
 * The rebuild engine (contract: `rebuild-ports.ts`): brings wanted shards of one segment to other miners. A shard whose
 * holder still serves it is read from there and masked anew; else k shards are read once, checked, and only what is
 * wanted is made from them. Each goes to a miner that holds nothing of the segment, under a placing never used before
 * (por/v1 §3). Called by the validator's repair and level; knows no runtime and no index.
 */
import { shardBytesOf } from '#shared/codec/reed-solomon.ts';
import { groupLimitOf, placeShards } from '#shared/placement/place-shards.ts';
import { fail, type Result, succeed } from '#shared/primitives/failure.ts';
import type { MinerNumber } from '#shared/primitives/ids.ts';
import { createBudget } from './budget.ts';
import { fetchSegments } from './fetch-segments.ts';
import { fetchBytes } from './fetch-slots.ts';
import { type ByteMeter, meteredMiners } from './metered-miners.ts';
import { type Placed, placeWanted } from './place-wanted.ts';
import type { Peer, TransferPorts } from './ports.ts';
import { readMovable } from './read-movable.ts';
import type {
  PlacedShard,
  Placing,
  RebuildFailure,
  RebuildHooks,
  RebuildOutcome,
  RebuildRequest,
  WantedShard,
} from './rebuild-ports.ts';
import { type FileKeys, fileKeysOf, ROW_GROUP_BYTES, SegmentEncoder } from './segment-encoder.ts';

/** Coded shards in the making and their masked copies, beside the segment. */
const groupBytes = (shardBytes: number): number => 2 * Math.max(ROW_GROUP_BYTES, shardBytes);

/** Bytes of buffers that one rebuild needs at once. */
export const rebuildBytes = (k: number, segmentBytes: number): number =>
  fetchBytes(k, segmentBytes) + groupBytes(shardBytesOf(segmentBytes, k));

export async function rebuildShards(
  ports: TransferPorts,
  request: RebuildRequest,
  hooks: RebuildHooks,
): Promise<Result<RebuildOutcome, RebuildFailure>> {
  const { coding, segment, wanted, budget, signal } = request;
  const meter: ByteMeter = { readBytes: 0, sentBytes: 0 };
  const metered = { ...ports, miners: meteredMiners(ports.miners, meter) };
  const shardBytes = shardBytesOf(segment.bytes, coding.k);
  const chosen = chooseMiners(ports, request, shardBytes);
  // Nothing is read that could then not be placed.
  if (chosen.miners.length === 0) {
    const message = `no miner with room holds nothing of segment ${segment.index} yet`;
    return fail({ code: 'too-few-miners', fault: 'us', message, needed: wanted.length, available: 0 });
  }
  const release = await budget.acquire(rebuildBytes(coding.k, segment.bytes), signal);
  try {
    const placer = new Rebuild(metered, request, hooks, await fileKeysOf(coding), shardBytes, chosen.again);
    const failure = await placer.run(wanted.slice(0, chosen.miners.length), chosen.miners);
    if (failure) return fail(failure);
    const placed = placer.placed;
    const done = new Set(placed.map(({ shardIndex }) => shardIndex));
    const unplaced = wanted.map(({ shardIndex }) => shardIndex).filter((index) => !done.has(index));
    return succeed({ placed, unplaced, strays: placer.strays, ...meter });
  } finally {
    release();
  }
}

interface Choice {
  readonly miners: readonly Peer[];
  /** One more for a shard whose miner failed. */
  again(tried: ReadonlySet<MinerNumber>, holders: readonly Peer[]): Peer | undefined;
}

/**
 * Miners for the wanted shards. Whoever the record names gets no second shard of the segment; one whose own shard is
 * the one that is bad may get another, but only when there is nobody else.
 */
function chooseMiners(ports: TransferPorts, request: RebuildRequest, shardBytes: number): Choice {
  const { coding, segment, wanted, candidates, sources } = request;
  const { slots } = segment.record;
  const moving = new Set(wanted.map(({ shardIndex }) => shardIndex));
  const staying = slots.flatMap((slot, index) => {
    const peer = slot.state === 'stored' && !moving.has(index) ? sources.get(slot.miner) : undefined;
    return peer ? [peer] : [];
  });
  const named = new Set(slots.filter(({ state }) => state === 'stored').map(({ miner }) => miner));
  const failed = new Set(slots.filter(({ state }) => state !== 'stored').map(({ miner }) => miner));
  const place = (count: number, excluded: ReadonlySet<MinerNumber>, holders: readonly Peer[]) =>
    placeShards({
      ...{ candidates, count, shardBytes, excluded, holders },
      groupLimit: groupLimitOf(coding.k, coding.n),
      expectedMs: (peer) => ports.latencies.expectedMs(peer.number, 'store', shardBytes),
      random: ports.random,
    }).miners;
  const choose = (count: number, tried: ReadonlySet<MinerNumber>, holders: readonly Peer[]) => {
    const first = place(count, new Set([...named, ...failed, ...tried]), holders);
    if (first.length >= count) return first;
    return [...first, ...place(count - first.length, new Set([...named, ...tried]), [...holders, ...first])];
  };
  return {
    miners: choose(wanted.length, new Set(), staying),
    again: (tried, holders) => choose(1, tried, [...staying, ...holders])[0],
  };
}

class Rebuild {
  readonly placed: PlacedShard[] = [];
  readonly strays: Placing[] = [];
  readonly #ports: TransferPorts;
  readonly #request: RebuildRequest;
  readonly #hooks: RebuildHooks;
  readonly #keys: FileKeys;
  readonly #shardBytes: number;
  readonly #again: Choice['again'];
  readonly #tried = new Set<MinerNumber>();
  readonly #holders: Peer[] = [];

  constructor(
    ports: TransferPorts,
    request: RebuildRequest,
    hooks: RebuildHooks,
    keys: FileKeys,
    shardBytes: number,
    again: Choice['again'],
  ) {
    this.#ports = ports;
    this.#request = request;
    this.#hooks = hooks;
    this.#keys = keys;
    this.#shardBytes = shardBytes;
    this.#again = again;
  }

  async run(wanted: readonly WantedShard[], miners: readonly Peer[]): Promise<RebuildFailure | undefined> {
    for (const miner of miners) this.#tried.add(miner.number);
    this.#holders.push(...miners);
    const assigned = new Map(wanted.flatMap((shard, i) => (miners[i] ? [[shard, miners[i]] as const] : [])));
    const rest: WantedShard[] = [];
    for (const group of this.#groups(wanted.filter(({ movable }) => movable))) {
      const shards = await readMovable(this.#ports, this.#request, this.#keys.codingKey, group, this.#hooks);
      rest.push(...group.filter((shard) => !shards.has(shard)));
      await this.#placeAll(shards, assigned);
    }
    rest.push(...wanted.filter(({ movable }) => !movable));
    return rest.length > 0 ? this.#rebuild(rest, assigned) : undefined;
  }

  /** As many shards at a time as their buffers were acquired for. */
  #groups(wanted: readonly WantedShard[]): readonly (readonly WantedShard[])[] {
    const size = Math.max(1, Math.floor(ROW_GROUP_BYTES / this.#shardBytes));
    return Array.from({ length: Math.ceil(wanted.length / size) }, (_, i) => wanted.slice(i * size, (i + 1) * size));
  }

  /** All that is missing from one read of the segment. */
  async #rebuild(
    wanted: readonly WantedShard[],
    assigned: ReadonlyMap<WantedShard, Peer>,
  ): Promise<RebuildFailure | undefined> {
    const { coding, segment, sources, fileBytes, holdUntilMs, signal } = this.#request;
    // Its share of the whole was acquired already.
    const budget = createBudget(fetchBytes(coding.k, segment.bytes));
    const fetching = fetchSegments(this.#ports, { coding, peers: sources, budget, signal }, [segment], (complaint) =>
      this.#hooks.onComplaint(complaint),
    );
    for await (const fetched of fetching) {
      if (!fetched.ok) return fetched.failure;
      const { bytes, release } = fetched.value;
      const terms = { holdUntilMs, fileBytes };
      const encoder = new SegmentEncoder(this.#ports, coding, this.#keys, terms, segment.index, bytes);
      for (const group of this.#groups(wanted)) {
        const coded = encoder.code(group.map(({ shardIndex }) => shardIndex));
        const shards = new Map(group.flatMap((shard, i) => (coded[i] ? [[shard, coded[i]] as const] : [])));
        await this.#placeAll(shards, assigned);
      }
      release();
    }
    return undefined;
  }

  async #placeAll(
    shards: ReadonlyMap<WantedShard, Uint8Array>,
    assigned: ReadonlyMap<WantedShard, Peer>,
  ): Promise<void> {
    const again = () => {
      const peer = this.#again(this.#tried, this.#holders);
      if (!peer) return undefined;
      this.#tried.add(peer.number);
      this.#holders.push(peer);
      return peer;
    };
    const outcomes = await Promise.all(
      [...shards].map(async ([shard, coded]): Promise<Placed | undefined> => {
        const peer = assigned.get(shard);
        return peer && placeWanted(this.#ports, this.#request, this.#hooks, this.#keys, shard, coded, peer, again);
      }),
    );
    for (const outcome of outcomes) {
      this.strays.push(...(outcome?.strays ?? []));
      if (outcome?.placed) this.placed.push(outcome.placed);
    }
  }
}
