/**
 * The adversaries of por/v1 §11 that need no whole network, each against the real verifier: what must be detected in
 * how many rounds, exactly, and what was. Run by `bench/por-adversaries.ts` over 500 rounds and by a test over fewer.
 * Those on the validator's side are in `dishonest-validators.ts`.
 */
import { rebuild } from '#shared/codec/reed-solomon.ts';
import { concatBytes } from '#shared/primitives/bytes.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { leafCount, levelsOf } from '#shared/proof/anchor.ts';
import { type AnswerItem, signAnswer } from '#shared/proof/challenge-answer.ts';
import { maskShard } from '#shared/proof/mask.ts';
import { leafBytesAt } from '#shared/proof/multiproof.ts';
import { sampleLeaves } from '#shared/proof/sample.ts';
import { contextOf, seedOf } from '#shared/proof/seed.ts';
import type { RoundPlan } from '#shared/proof/verify-answer.ts';
import { ProofWorld, type WorldPorts } from './proof-world.ts';
import type { Cheat, ProvenShard } from './prover.ts';

export interface AdversaryResult {
  readonly rounds: number;
  readonly detected: number;
  /** Mean over the rounds of the probability of being detected. */
  readonly expected: number;
}

export interface Adversary {
  readonly id: string;
  run(rounds: number): Promise<AdversaryResult>;
}

const KIB = 1024;
/** 62 shards of 3 classes and more: 1,300 leaves, of which a round asks 30. */
const SHARDS = [
  ...Array.from({ length: 30 }, (_, i) => 500 + 97 * i),
  ...Array.from({ length: 20 }, (_, i) => 12 * KIB + 611 * i),
  ...Array.from({ length: 12 }, (_, i) => 50 * KIB + 1999 * i),
];

/** Answers a round, and how likely it is that this answer is caught, given what is asked. */
interface Attempt {
  readonly answer: Uint8Array;
  readonly expected: number;
}
type Attack = (world: ProofWorld, plan: RoundPlan) => Attempt | Promise<Attempt>;

const always =
  (answer: (world: ProofWorld, plan: RoundPlan) => Uint8Array): Attack =>
  (world, plan) => ({ answer: answer(world, plan), expected: 1 });

function adversary(ports: WorldPorts, id: string, attack: Attack, prepare?: (world: ProofWorld) => void): Adversary {
  return {
    id,
    async run(rounds) {
      const world = new ProofWorld(ports, SHARDS);
      prepare?.(world);
      let [detected, expected] = [0, 0];
      for (let i = 0; i < rounds; i++) {
        const plan = await world.nextRound();
        const attempt = await attack(world, plan);
        expected += attempt.expected;
        if (!world.judge(plan, attempt.answer).passed) detected++;
      }
      return { rounds, detected, expected: expected / rounds };
    },
  };
}

/** An answer with every item made by `make`. */
const built = (
  { prover }: ProofWorld,
  plan: RoundPlan,
  make: (item: RoundPlan['items'][number], held: ProvenShard) => AnswerItem,
): Uint8Array =>
  signAnswer(
    prover.signer,
    plan.requestBytes,
    plan.items.map((item) => make(item, prover.shards.get(item.anchorId) as ProvenShard)),
  );

const cheating =
  (cheat: Cheat) =>
  (world: ProofWorld, plan: RoundPlan): Uint8Array =>
    built(world, plan, ({ anchorId, indices }, held) =>
      cheat(world.prover.prove(held, indices), { anchorId, held, indices }),
    );

const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.with(at, (bytes[at] as number) ^ 1);

/** n choose k over m missing: the chance that k different leaves of n are all among the n − m that are there. */
function allThere(n: number, missing: number, k: number): number {
  let chance = 1;
  for (let i = 0; i < k; i++) chance *= Math.max(0, n - missing - i) / (n - i);
  return chance;
}

/** Lost leaves, by shard: exactly this fraction of all, evenly spread. */
function loseLeaves(world: ProofWorld, fraction: number): ReadonlyMap<AnchorId, ReadonlySet<number>> {
  const lost = new Map<AnchorId, ReadonlySet<number>>();
  let seen = 0;
  for (const [anchorId, { anchor }] of world.prover.shards) {
    const indices = Array.from({ length: leafCount(anchor.bytes) }, (_, i) => i);
    const from = seen;
    seen += indices.length;
    lost.set(
      anchorId,
      new Set(indices.filter((i) => Math.floor((from + i + 1) * fraction) > Math.floor((from + i) * fraction))),
    );
  }
  return lost;
}

/** Fills lost leaves with noise and proves on: caught whenever one of them is asked. */
function missingLeaves(
  ports: WorldPorts,
  id: string,
  fraction: number,
  damage: (leaf: Uint8Array) => Uint8Array,
): Adversary {
  let lost: ReadonlyMap<AnchorId, ReadonlySet<number>> = new Map();
  const attack: Attack = (world, plan) => {
    const spared = plan.items.reduce((chance, { anchorId, anchor, indices }) => {
      return chance * allThere(leafCount(anchor.bytes), lost.get(anchorId)?.size ?? 0, indices.length);
    }, 1);
    const answer = built(world, plan, ({ anchorId, indices }, held) => {
      const body = world.prover.prove(held, indices).slice();
      let at = 0;
      for (const index of indices) {
        const bytes = leafBytesAt(held.anchor.bytes, index);
        if (lost.get(anchorId)?.has(index)) body.set(damage(body.slice(at, at + bytes)), at);
        at += bytes;
      }
      return body;
    });
    return { answer, expected: 1 - spared };
  };
  return adversary(ports, id, attack, (world) => {
    lost = loseLeaves(world, fraction);
  });
}

/** Lacks whole shards: caught whenever one of them is drawn, so at 1 − (1 − f)^K for their share f of all leaves. */
function missingShards(
  ports: WorldPorts,
  id: string,
  which: (world: ProofWorld, ids: readonly AnchorId[]) => readonly AnchorId[],
  instead: (held: ProvenShard, honest: Uint8Array) => AnswerItem,
): Adversary {
  let gone: ReadonlySet<AnchorId> = new Set();
  const attack: Attack = (world, plan) => {
    const leaves = [...gone].reduce(
      (sum, id) => sum + leafCount((world.anchors.get(id) as { bytes: number }).bytes),
      0,
    );
    const answer = built(world, plan, ({ anchorId, indices }, held) => {
      const honest = world.prover.prove(held, indices);
      return gone.has(anchorId) ? instead(held, honest) : honest;
    });
    return { answer, expected: 1 - (1 - leaves / world.inventory.leaves) ** plan.request.leaves };
  };
  return adversary(ports, id, attack, (world) => {
    gone = new Set(which(world, [...world.prover.shards.keys()]));
  });
}

const tenth = (_: ProofWorld, ids: readonly AnchorId[]) => ids.filter((_, i) => i % 10 === 4);
const noise = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => byte ^ (i * 37 + 11));

/** A segment's shards, masked or not; the miner lacks its own and has k others of its friends. */
function generation(ports: WorldPorts, id: string, masked: boolean): Adversary {
  const [k, n, own] = [4, 10, 7] as const;
  return {
    id,
    async run(rounds) {
      const world = new ProofWorld(ports, []);
      const data = Array.from({ length: k }, (_, index) => ({ index, shard: world.bytes(8 * KIB) }));
      const [coded] = rebuild(world.kernel, k, n, data, [own]) as [Uint8Array];
      world.own(masked ? await maskShard(world.bytes(32), coded) : coded);
      // What the friends can compute: the shard as it was coded, without the mask that only uploader and miner had.
      const regenerated = world.prover.store(coded).anchorId;
      let detected = 0;
      for (let i = 0; i < rounds; i++) {
        const plan = await world.nextRound();
        const answer = built(world, plan, ({ indices }) =>
          world.prover.prove(world.prover.shards.get(regenerated) as ProvenShard, indices),
        );
        if (!world.judge(plan, answer).passed) detected++;
      }
      return { rounds, detected, expected: masked ? 1 : 0 };
    },
  };
}

/** Indices as a miner would like them: from a seed of its own making. */
const withSeed =
  (seedFor: (world: ProofWorld, plan: RoundPlan, anchorId: AnchorId) => Uint8Array) =>
  (world: ProofWorld, plan: RoundPlan): Uint8Array =>
    built(world, plan, ({ anchorId, indices, anchor }, held) => {
      const seed = seedFor(world, plan, anchorId);
      return world.prover.prove(held, sampleLeaves(seed, leafCount(anchor.bytes), indices.length));
    });

export function porAdversaries(ports: WorldPorts): readonly Adversary[] {
  const of = (id: string, answer: (world: ProofWorld, plan: RoundPlan) => Uint8Array) =>
    adversary(ports, id, always(answer));
  let previous: Uint8Array | undefined;
  return [
    adversary(ports, 'an honest miner', (world, plan) => ({
      answer: world.prover.answerRequest(plan.request),
      expected: 0,
    })),
    of(
      'no data: noise of the right length',
      cheating((honest) => honest && noise(honest)),
    ),
    of(
      'digests only: right siblings, other leaves',
      cheating((honest, { held, indices }) => {
        const leaves = indices.reduce((sum, index) => sum + leafBytesAt(held.anchor.bytes, index), 0);
        return honest && concatBytes(noise(honest.subarray(0, leaves)), honest.subarray(leaves));
      }),
    ),
    missingLeaves(ports, '1 % of its leaves missing', 0.01, noise),
    missingLeaves(ports, '10 % of its leaves missing', 0.1, noise),
    missingLeaves(ports, '50 % of its leaves missing', 0.5, noise),
    missingLeaves(ports, 'bit rot: one bit in 10 % of its leaves', 0.1, (leaf) => flipped(leaf, 0)),
    missingShards(ports, '10 % of its shards missing, noise instead', tenth, (_, honest) => noise(honest)),
    missingShards(ports, '10 % of its shards declared missing', tenth, () => undefined),
    missingShards(
      ports,
      'all its small shards missing',
      (_, ids) => ids.slice(0, 30),
      (_, honest) => noise(honest),
    ),
    missingShards(
      ports,
      'all its large shards missing',
      (_, ids) => ids.slice(50),
      (_, honest) => noise(honest),
    ),
    of(
      'a stale seed: leaves of the round before',
      withSeed((world, { request }, anchorId) => {
        const before = { ...request, round: request.round - 1, block: request.block - 25 };
        return seedOf(world.network, before, anchorId, contextOf(before));
      }),
    ),
    of(
      'a chosen seed: leaves of the miner’s own choice',
      withSeed((world) => world.bytes(32)),
    ),
    of('a replayed answer', (world, plan) => {
      const old =
        previous ??
        signAnswer(
          world.prover.signer,
          world.bytes(400),
          plan.items.map(() => undefined),
        );
      previous = world.prover.answerRequest(plan.request);
      return old;
    }),
    of('an answer to another request, its lengths right', (world, plan) => {
      const honest = world.prover.answerRequest(plan.request);
      const other = signAnswer(
        world.prover.signer,
        flipped(plan.requestBytes, 200),
        plan.items.map(() => undefined),
      );
      return concatBytes(other.subarray(0, 64), honest.subarray(64));
    }),
    of('signed by another key', (world, plan) => {
      const thief = world.sr25519.signerFromSeed(new Uint8Array(32).fill(77));
      return signAnswer(
        thief,
        plan.requestBytes,
        plan.items.map(({ anchorId, indices }) =>
          world.prover.prove(world.prover.shards.get(anchorId) as ProvenShard, indices),
        ),
      );
    }),
    of('another shard of the same size', (world, plan) =>
      built(world, plan, ({ indices }, held) => world.prover.prove(twinOf(world, held), indices)),
    ),
    of('a forged root: own data under its own tree', (world, plan) =>
      built(world, plan, ({ indices }, held) =>
        world.prover.prove(twinOf(world, { ...held, shard: flipped(held.shard, 0) }), indices),
      ),
    ),
    of(
      'a body cut by a byte',
      cheating((honest) => honest?.subarray(0, honest.length - 1)),
    ),
    of(
      'a body with a byte more',
      cheating((honest) => honest && concatBytes(honest, Uint8Array.of(0))),
    ),
    of('one bit of one body flipped', (world, plan) => {
      const victim = Math.floor(world.chance() * plan.items.length);
      return built(world, plan, ({ indices, anchorId }, held) => {
        const honest = world.prover.prove(held, indices);
        if (plan.items[victim]?.anchorId !== anchorId) return honest;
        return flipped(honest, Math.floor(world.chance() * honest.length));
      });
    }),
    of('leaves swapped within the body', (world, plan) =>
      built(world, plan, ({ indices }, held) => swapped(world.prover.prove(held, indices), indices, held)),
    ),
    of(
      'an inner node posing as a leaf',
      cheating((honest, { held, indices }) => {
        const [first = 0] = indices;
        const [leaves = new Uint8Array(0)] = held.levels;
        const pair = leaves.subarray(64 * (first >> 1), 64 * (first >> 1) + 64);
        return honest && concatBytes(pair, honest.subarray(Math.min(pair.length, honest.length)));
      }),
    ),
    of('a lie about length: a shard with a byte more', (world, plan) =>
      built(world, plan, ({ indices }, held) => world.prover.prove(lengthened(world, held), indices)),
    ),
    of(
      'a lie about leaf size: leaves of 2,048 bytes',
      cheating((honest, { held, indices }) => {
        const [first = 0] = indices;
        const leaf = held.shard.subarray(2048 * (first >> 1), 2048 * (first >> 1) + 2048);
        const kept = honest ?? new Uint8Array(0);
        return concatBytes(leaf, kept).subarray(0, Math.max(kept.length, 1));
      }),
    ),
    generation(ports, 'generation attack, unmasked shards: not caught', false),
    generation(ports, 'generation attack, masked shards', true),
  ];
}

const proven = (world: ProofWorld, shard: Uint8Array): ProvenShard => ({
  anchor: { root: sha256(shard), bytes: shard.length },
  shard,
  levels: levelsOf(world.kernel, world.kernel.hashLeaves(shard)),
});
const twinOf = (world: ProofWorld, { shard }: ProvenShard): ProvenShard => proven(world, noise(shard));
const lengthened = (world: ProofWorld, { shard }: ProvenShard): ProvenShard =>
  proven(world, concatBytes(shard, Uint8Array.of(1)));

/** Two leaves change places; where one was asked alone, another leaf of the shard stands in its place. */
function swapped(honest: Uint8Array, indices: readonly number[], held: ProvenShard): Uint8Array {
  const [a = 0, b] = indices;
  const body = honest.slice();
  const bytes = leafBytesAt(held.anchor.bytes, a);
  if (b !== undefined && leafBytesAt(held.anchor.bytes, b) === bytes) {
    body.copyWithin(0, bytes, 2 * bytes);
    body.set(honest.subarray(0, bytes), bytes);
    return body;
  }
  const other = a === 0 ? Math.min(1, leafCount(held.anchor.bytes) - 1) : 0;
  const leaf = held.shard.subarray(other * KIB, other * KIB + bytes);
  return other === a ? flipped(body, 0) : concatBytes(leaf, body.subarray(leaf.length));
}

/**
 * Whether a measured rate cannot come from the expected one: never a single exception where all or none must be caught,
 * else five standard deviations (once in two million runs).
 */
export function deviates({ rounds, detected, expected }: AdversaryResult): boolean {
  if (expected === 0 || expected === 1) return detected !== expected * rounds;
  return Math.abs(detected - expected * rounds) > 5 * Math.sqrt(rounds * expected * (1 - expected)) + 1;
}
