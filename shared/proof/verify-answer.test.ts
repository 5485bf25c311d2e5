import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, toHex } from '#shared/primitives/bytes.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { knownNetwork } from '#shared/testing/known-statements.ts';
import { referenceKernel } from '#shared/testing/reference-kernel.ts';
import { vectorData } from '#shared/testing/vector-data.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import { type Anchor, anchorIdOf, anchorOf, levelsOf } from './anchor.ts';
import { type AnswerItem, encodeAnswer, encodeAnswerStatement, parseAnswer, signAnswer } from './challenge-answer.ts';
import type { ChallengeRequest } from './challenge-request.ts';
import { Inventory } from './inventory.ts';
import { leafBytesAt, proveLeaves } from './multiproof.ts';
import { selectShards } from './sample.ts';
import { commitOf, contextOf, roundLeaves } from './seed.ts';
import { EMPTY_HASH, roundTranscript, type Verdict } from './transcript.ts';
import { type ExpectedItem, judgeWhole, planRound, type RoundPlan, verifyAnswer } from './verify-answer.ts';

const { signerFromSeed, verify } = await loadSr25519();
const miner = signerFromSeed(new Uint8Array(32).fill(3));
const validator = signerFromSeed(new Uint8Array(32).fill(4));

/** What the miner holds: shards of several classes, told apart by where in the data they start. */
const shards = [5000, 1023, 40_000, 16_384, 17_000, 3_000].map((bytes, i) => vectorData(bytes + 7 * i).subarray(7 * i));
const anchors = new Map<AnchorId, Anchor>();
const held = new Map<AnchorId, Uint8Array>();
const inventory = new Inventory();
for (const shard of shards) {
  const anchor = anchorOf(referenceKernel, shard);
  anchors.set(anchorIdOf(anchor), anchor);
  held.set(anchorIdOf(anchor), shard);
  inventory.add({ anchorId: anchorIdOf(anchor), bytes: shard.length });
}

async function requestOf(changes: Partial<ChallengeRequest> = {}): Promise<ChallengeRequest> {
  const drawn = {
    prevTranscript: new Uint8Array(32).fill(5),
    inventory: inventory.hash,
    inventoryLeaves: inventory.leaves,
    salt: new Uint8Array(32).fill(6),
    leaves: roundLeaves(inventory.leaves),
    sweep: false,
  };
  const items = await selectShards(contextOf(drawn), inventory, drawn.leaves);
  const nextCommit = commitOf({ ...drawn, salt: new Uint8Array(32).fill(7) });
  const parties = { validator: validator.hotkey, miner: miner.hotkey };
  const blockHash = new Uint8Array(32).fill(8);
  return { ...drawn, ...parties, round: 7, block: 175, blockHash, nextCommit, items, ...changes };
}
function planOf(request: ChallengeRequest, network = knownNetwork): RoundPlan {
  const plan = planRound(network, request, anchors);
  if (!plan.ok) throw new Error(plan.failure.message);
  return plan.value;
}
function bodyOf({ indices }: ExpectedItem, shard: Uint8Array): Uint8Array {
  const levels = levelsOf(referenceKernel, referenceKernel.hashLeaves(shard));
  return proveLeaves(shard.length, levels, indices, (i) =>
    shard.subarray(i * 1024, i * 1024 + leafBytesAt(shard.length, i)),
  );
}
const shardOf = (item: ExpectedItem): Uint8Array => held.get(item.anchorId) as Uint8Array;
const bodiesOf = (plan: RoundPlan): AnswerItem[] => plan.items.map((item) => bodyOf(item, shardOf(item)));
const replaced = <T>(list: readonly T[], at: number, value: T): T[] => list.map((old, i) => (i === at ? value : old));
const flip = (bytes: Uint8Array, bit: number): Uint8Array => {
  const flipped = bytes.slice();
  flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
  return flipped;
};

const plan = planOf(await requestOf());
const bodies = bodiesOf(plan);
const honest = signAnswer(miner, plan.requestBytes, bodies);
const count = plan.items.length;
const all = (verdict: Verdict): Verdict[] => plan.items.map(() => verdict);
const verdictsOf = (answer: Uint8Array): Verdict[] =>
  verifyAnswer(verify, plan, answer).items.map((item) => item.verdict);

describe('an honest answer', () => {
  it('passes every item, in the length that was foretold', () => {
    expect(count).toBeGreaterThan(2);
    expect(honest).toHaveLength(plan.answerBytes);
    const judgement = verifyAnswer(verify, plan, honest);
    expect(judgement.passed).toBe(true);
    expect(judgement.items.map((item) => item.verdict)).toEqual(all('passed'));
    expect(judgement.answerSignature).toEqual(honest.subarray(0, 64));
    const statement = encodeAnswerStatement(plan.requestBytes, bodies);
    expect(judgement.transcript).toEqual(
      roundTranscript(plan.request.prevTranscript, judgement.items, plan.requestBytes, statement),
    );
  });

  it('has one transcript, whatever randomness its signature has', () => {
    const again = signAnswer(miner, plan.requestBytes, bodies);
    expect(again).not.toEqual(honest);
    expect(verifyAnswer(verify, plan, again).transcript).toEqual(verifyAnswer(verify, plan, honest).transcript);
  });

  it('to a sweep of every shard passes too', async () => {
    const items = [...anchors]
      .map(([anchorId, { bytes }]) => ({ anchorId, leaves: bytes <= 1024 ? 1 : 2 }))
      .sort((a, b) => (a.anchorId < b.anchorId ? -1 : 1));
    const leaves = items.reduce((sum, item) => sum + item.leaves, 0);
    const sweep = planOf(await requestOf({ sweep: true, leaves, items }));
    expect(verifyAnswer(verify, sweep, signAnswer(miner, sweep.requestBytes, bodiesOf(sweep))).passed).toBe(true);
  });
});

describe('a declared loss', () => {
  it('is missing for that item alone, and fails the batch', () => {
    const judgement = verifyAnswer(verify, plan, signAnswer(miner, plan.requestBytes, replaced(bodies, 1, undefined)));
    expect(judgement.items.map((item) => item.verdict)).toEqual(replaced(all('passed'), 1, 'missing'));
    expect(judgement.items[1]?.bodyHash).toEqual(EMPTY_HASH);
    expect(judgement.passed).toBe(false);
  });
});

describe('an item is wrong', () => {
  const first = plan.items[0] as ExpectedItem;
  const body = bodies[0] as Uint8Array;
  const foreign = vectorData(shardOf(first).length + 1).subarray(1);
  it.each([
    ['when it is zeros of the right length', new Uint8Array(body.length)],
    ['when it is built from another shard', bodyOf(first, foreign)],
    ['with its first bit changed', flip(body, 0)],
    ['with its last bit changed', flip(body, 8 * body.length - 1)],
  ])('%s, and only that item', (_, forged) => {
    const judgement = verifyAnswer(verify, plan, signAnswer(miner, plan.requestBytes, replaced(bodies, 0, forged)));
    expect(judgement.items.map((item) => item.verdict)).toEqual(replaced(all('passed'), 0, 'wrong'));
    expect(judgement.items[0]?.bodyHash).toEqual(sha256(forged));
    expect(judgement.passed).toBe(false);
  });
});

describe('an answer is malformed as a whole', async () => {
  const { signature } = parseAnswerOf(honest);
  const stale = planOf(await requestOf({ round: 6, block: 150 }));
  const statusAt = 64;
  const forged: [string, Uint8Array][] = [
    ['when it is empty', new Uint8Array(0)],
    ['when it is a signature alone', signature],
    ['a byte short', honest.subarray(0, -1)],
    ['a byte long', concatBytes(honest, new Uint8Array(1))],
    ['twice over', concatBytes(honest, honest)],
    ['with status 0', concatBytes(honest.subarray(0, statusAt), Uint8Array.of(0), honest.subarray(statusAt + 1))],
    ['with status 3', concatBytes(honest.subarray(0, statusAt), Uint8Array.of(3), honest.subarray(statusAt + 1))],
    ['with zeros for a signature', encodeAnswer({ signature: new Uint8Array(64), items: bodies })],
    ['signed by another', signAnswer(validator, plan.requestBytes, bodies)],
    ['signed for another request', signAnswer(miner, stale.requestBytes, bodies)],
    ['replayed from another round', signAnswer(miner, stale.requestBytes, bodiesOf(stale))],
    [
      'with a body changed after signing',
      encodeAnswer({ signature, items: replaced(bodies, 0, new Uint8Array(bodies[0]?.length ?? 0)) }),
    ],
    ['with a loss declared after signing', encodeAnswer({ signature, items: replaced(bodies, 0, undefined) })],
    ['with items swapped', encodeAnswer({ signature, items: [...bodies].reverse() })],
  ];
  it.each(forged)('%s', (_, answer) => {
    const judgement = verifyAnswer(verify, plan, answer);
    expect(judgement).toEqual(judgeWhole(plan, 'malformed'));
    expect(judgement.items.map((item) => item.verdict)).toEqual(all('malformed'));
    expect(judgement.answerSignature).toEqual(new Uint8Array(64));
    expect(judgement.passed).toBe(false);
  });

  it('with any bit changed', () => {
    fc.assert(
      fc.property(fc.nat(8 * honest.length - 1), (bit) => {
        expect(verdictsOf(flip(honest, bit))).toEqual(all('malformed'));
      }),
      { numRuns: 100 },
    );
  });

  it('made of arbitrary bytes, without a throw', () => {
    fc.assert(
      fc.property(fc.nat(honest.length), fc.uint8Array({ maxLength: 200 }), (keep, tail) => {
        const answer = concatBytes(honest.subarray(0, keep), tail);
        if (toHex(answer) !== toHex(honest)) expect(verdictsOf(answer)).toEqual(all('malformed'));
      }),
      { numRuns: 50 },
    );
  });
});

function parseAnswerOf(answer: Uint8Array) {
  const parsed = parseAnswer(
    answer,
    plan.items.map((item) => item.bodyBytes),
  );
  if (!parsed.ok) throw new Error(parsed.failure.message);
  return parsed.value;
}

describe('a round', () => {
  it('that nobody answers, and one that is void, have transcripts of their own', () => {
    const kinds = (['silent', 'malformed', 'void'] as const).map((verdict) => judgeWhole(plan, verdict));
    kinds.push(verifyAnswer(verify, plan, honest));
    expect(new Set(kinds.map((judgement) => toHex(judgement.transcript))).size).toBe(4);
    expect(kinds.filter((judgement) => judgement.passed)).toHaveLength(1);
  });

  it('is not planned on an anchor that our record does not have, or has otherwise', async () => {
    const request = await requestOf();
    expect(planRound(knownNetwork, request, new Map())).toMatchObject({ ok: false, failure: { fault: 'us' } });
    const lying = new Map([...anchors].map(([id, anchor]) => [id, { ...anchor, bytes: anchor.bytes + 1 }]));
    expect(planRound(knownNetwork, request, lying)).toMatchObject({ ok: false, failure: { code: 'anchor-unknown' } });
  });

  it('that only starts the chain asks nothing and is not passed', async () => {
    const start = planOf(await requestOf({ items: [], leaves: 0 }));
    expect(start.answerBytes).toBe(64);
    const judgement = verifyAnswer(verify, start, signAnswer(miner, start.requestBytes, []));
    expect(judgement.passed).toBe(false);
    expect(judgement.transcript).not.toEqual(judgeWhole(start, 'silent').transcript);
  });

  it('asks other leaves when anything that binds it changes', async () => {
    const other = new Uint8Array(32).fill(99);
    const changes: Partial<ChallengeRequest>[] = [
      { round: 8 },
      { block: 200 },
      { blockHash: other },
      { salt: other },
      { prevTranscript: other },
      { inventory: other },
      { inventoryLeaves: inventory.leaves + 1 },
      { leaves: 29 },
      { sweep: true },
      { miner: validator.hotkey },
      { validator: miner.hotkey },
    ];
    const { items } = plan.request;
    const plans = await Promise.all(changes.map(async (change) => planOf(await requestOf({ items, ...change }))));
    plans.push(
      plan,
      planOf(plan.request, { ...knownNetwork, netuid: 22 }),
      planOf(plan.request, { ...knownNetwork, genesis: other }),
    );
    const seeds = plans.map(({ items }) => toHex((items[0] as ExpectedItem).seed));
    expect(new Set(seeds).size).toBe(changes.length + 3);
  });

  it('has another transcript when a verdict is flipped, an item dropped or two are swapped', () => {
    const { items, transcript } = verifyAnswer(verify, plan, honest);
    const { prevTranscript } = plan.request;
    const statement = encodeAnswerStatement(plan.requestBytes, bodies);
    const chained = (changed: typeof items) =>
      toHex(roundTranscript(prevTranscript, changed, plan.requestBytes, statement));
    const [first, second] = [items[0] as (typeof items)[number], items[1] as (typeof items)[number]];
    const transcripts = [
      toHex(transcript),
      chained(replaced(items, 0, { ...first, verdict: 'wrong' })),
      chained(items.slice(1)),
      chained(items.slice(0, -1)),
      chained([second, first, ...items.slice(2)]),
      toHex(roundTranscript(prevTranscript, items, plan.requestBytes, undefined)),
    ];
    expect(new Set(transcripts).size).toBe(transcripts.length);
  });
});
