/** The known answers of whole rounds: inventory, commit, selection, seeds, request, answer, record, transcripts. */
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '#shared/primitives/bytes.ts';
import { type AnchorId, hotkeyOf } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { referenceKernel } from '#shared/testing/reference-kernel.ts';
import { vectorData } from '#shared/testing/vector-data.ts';
import coding from '../../test/vectors/coding-v1.json' with { type: 'json' };
import por from '../../test/vectors/por-v1.json' with { type: 'json' };
import { AnchorHasher, anchorOf, leafCount, levelsOf } from './anchor.ts';
import { encodeRecord, parseRecord } from './audit-record.ts';
import { encodeAnswerStatement } from './challenge-answer.ts';
import { type ChallengeRequest, encodeRequest, parseRequest } from './challenge-request.ts';
import { Inventory } from './inventory.ts';
import { bodyBytesOf, leafBytesAt, proveLeaves, verifyBody } from './multiproof.ts';
import { proveFromCache, proverCacheOf } from './prover-cache.ts';
import { pickMiners, sampleLeaves, selectShards } from './sample.ts';
import { commitOf, contextOf, roundLeaves, seedOf } from './seed.ts';
import { chainItem, EMPTY_HASH, roundTranscript, type TranscriptItem, VERDICTS } from './transcript.ts';

const bytes = (text: string): Uint8Array => fromHex(text) as Uint8Array;
const key = (text: string) => hotkeyOf(bytes(text));

describe('the known challenges of por-v1.json', () => {
  const challenges = por.cases.flatMap((shard) => shard.challenges.map((known) => ({ ...shard, ...known })));

  it.each(challenges)('$k leaves of $bytes bytes', async (known) => {
    const network = { genesis: bytes(known.genesis), netuid: known.netuid };
    const { block, round } = known;
    const asked = {
      block,
      round,
      blockHash: bytes(known.blockHash),
      miner: key(known.miner),
      validator: key(known.validator),
    };
    const prev = bytes(known.prevTranscript);
    const seed = seedOf(network, asked, known.anchorId as AnchorId, prev);
    expect(toHex(seed)).toBe(known.seed);
    const indices = sampleLeaves(seed, leafCount(known.bytes), known.k);
    expect(indices).toEqual(known.indices);

    const shard = vectorData(known.bytes);
    const anchor = anchorOf(referenceKernel, shard);
    const leafAt = (index: number) => shard.subarray(index * 1024, index * 1024 + leafBytesAt(shard.length, index));
    const levels = levelsOf(referenceKernel, referenceKernel.hashLeaves(shard));
    const body = proveLeaves(shard.length, levels, indices, leafAt);
    expect(body).toHaveLength(known.bodyBytes);
    expect(bodyBytesOf(shard.length, indices)).toBe(known.bodyBytes);
    expect(toHex(sha256(body))).toBe(known.bodySha256);
    expect(verifyBody(anchor, indices, body).ok).toBe(true);

    const hasher = new AnchorHasher(referenceKernel);
    hasher.update(shard);
    const cache = proverCacheOf(referenceKernel, shard.length, hasher.finish().groups);
    const read = async (at: number, count: number) => shard.subarray(at, at + count);
    expect(await proveFromCache(referenceKernel, cache, indices, read)).toEqual({ ok: true, value: body });

    expect(toHex(chainItem(prev, seed, 'passed', sha256(body)))).toBe(known.transcriptIfPassed);
    expect(toHex(chainItem(prev, seed, 'silent', sha256(body)))).toBe(known.transcriptIfTimeout);
  });
});

const { round, answer, record, removal, chainStart, pick } = coding;
const network = { genesis: bytes(round.genesis), netuid: round.netuid };

function knownInventory(): Inventory {
  const inventory = new Inventory();
  for (const shard of round.shards) inventory.add({ anchorId: shard.anchorId as AnchorId, bytes: shard.bytes });
  return inventory;
}

async function knownRequest(): Promise<ChallengeRequest> {
  const inventory = knownInventory();
  const drawn = {
    prevTranscript: bytes(round.prevTranscript),
    inventory: inventory.hash,
    inventoryLeaves: inventory.leaves,
    salt: bytes(round.salt),
    leaves: roundLeaves(inventory.leaves),
    sweep: false,
  };
  return {
    ...drawn,
    validator: key(round.validator),
    miner: key(round.miner),
    round: round.round,
    block: round.block,
    blockHash: bytes(round.blockHash),
    nextCommit: commitOf({ ...drawn, salt: bytes(round.nextSalt) }),
    items: await selectShards(contextOf(drawn), inventory, drawn.leaves),
  };
}

describe('the known round of coding-v1.json', () => {
  it('has the known inventory, commit and context', async () => {
    const request = await knownRequest();
    expect(toHex(request.inventory)).toBe(round.inventory);
    expect(request.inventoryLeaves).toBe(round.inventoryLeaves);
    expect(request.leaves).toBe(round.K);
    expect(toHex(commitOf(request))).toBe(round.commit);
    expect(toHex(request.nextCommit)).toBe(round.nextCommit);
    expect(toHex(contextOf(request))).toBe(round.context);
  });

  it('selects the known shards and leaves', async () => {
    const request = await knownRequest();
    const selected = request.items.map(({ anchorId, leaves: k }) => {
      const { leaves } = round.shards.find((shard) => shard.anchorId === anchorId) ?? { leaves: 0 };
      const seed = seedOf(network, request, anchorId, contextOf(request));
      return { anchorId, leaves, k, seed: toHex(seed), indices: sampleLeaves(seed, leaves, k) };
    });
    expect(selected).toEqual(round.selected);
  });

  it('is asked in the known bytes', async () => {
    const request = await knownRequest();
    expect(toHex(encodeRequest(network, request))).toBe(coding.statements.request.bytes);
  });

  it('has the known answer, record and transcripts', async () => {
    const request = await knownRequest();
    const requestBytes = encodeRequest(network, request);
    const bodies = answer.statuses.map((status, j) => (status === 1 ? vectorData(100 + j) : undefined));
    const statement = encodeAnswerStatement(requestBytes, bodies);
    expect(toHex(sha256(statement))).toBe(answer.signedSha256);

    const items = request.items.map(({ anchorId }, j): TranscriptItem => {
      const body = bodies[j];
      return {
        seed: seedOf(network, request, anchorId, contextOf(request)),
        verdict: VERDICTS[answer.verdicts[j] as number] ?? 'void',
        bodyHash: body ? sha256(body) : EMPTY_HASH,
      };
    });
    const last = items.reduce(
      (prev, item) => chainItem(prev, item.seed, item.verdict, item.bodyHash),
      request.prevTranscript,
    );
    expect(toHex(last)).toBe(answer.lastItemTranscript);
    const transcript = roundTranscript(request.prevTranscript, items, requestBytes, statement);
    expect(toHex(transcript)).toBe(answer.roundTranscript);
    const silent = items.map((item): TranscriptItem => ({ ...item, verdict: 'silent' }));
    expect(toHex(roundTranscript(request.prevTranscript, silent, requestBytes, undefined))).toBe(
      answer.roundTranscriptNoAnswer,
    );

    const written = {
      request,
      sentAtMs: record.sentAtMs,
      elapsedMs: record.elapsedMs,
      answerSignature: new Uint8Array(64).fill(0x0c),
      items: items.map(({ verdict, bodyHash }) => ({ verdict, bodyHash })),
      transcript,
    };
    const encoded = encodeRecord(network, written);
    expect(encoded).toHaveLength(record.bytes);
    expect(toHex(sha256(encoded))).toBe(record.sha256);
    expect(parseRecord(network, encoded)).toEqual({ ok: true, value: written });
  });

  it('leads to the known inventory when a shard is removed', () => {
    const inventory = knownInventory();
    const change = inventory.remove(removal.anchorId as AnchorId);
    expect(change).toEqual({ op: 'remove', slot: removal.slot, anchorId: removal.anchorId, bytes: removal.bytes });
    expect(toHex(inventory.hash)).toBe(removal.inventory);
  });

  it('follows the known start of the chain', () => {
    const zeros = new Uint8Array(32);
    const start: ChallengeRequest = {
      validator: key(round.validator),
      miner: key(round.miner),
      round: 0,
      block: 0,
      blockHash: bytes(round.blockHash),
      prevTranscript: zeros,
      inventory: zeros,
      inventoryLeaves: 0,
      salt: zeros,
      nextCommit: bytes(round.commit),
      leaves: 0,
      sweep: false,
      items: [],
    };
    const encoded = encodeRequest(network, start);
    expect(toHex(encoded)).toBe(chainStart.request.bytes);
    expect(parseRequest(network, encoded)).toEqual({ ok: true, value: start });
    expect(toHex(roundTranscript(zeros, [], encoded, undefined))).toBe(chainStart.roundTranscriptNoAnswer);
  });

  it('picks the known miners', () => {
    expect(pickMiners(bytes(pick.blockHash), pick.eligible, pick.count)).toEqual(pick.indices);
  });
});
