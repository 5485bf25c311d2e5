import { readFile, truncate, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemRandom } from '#shared/primitives/effects.ts';
import { type AnchorId, newOrderId } from '#shared/primitives/ids.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import { anchorOf } from '#shared/proof/anchor.ts';
import { type AuditRecord, encodeRecord } from '#shared/proof/audit-record.ts';
import { type ChallengeRequest, encodeRequest } from '#shared/proof/challenge-request.ts';
import { commitOf } from '#shared/proof/seed.ts';
import { signStatement } from '#shared/proof/statement.ts';
import { type Judgement, planRound, verifyAnswer } from '#shared/proof/verify-answer.ts';
import { encodeChallengeBody } from '#shared/wire/challenge-body.ts';
import { foldersOf, shardPath } from '../store/folders.ts';
import { type Held, requestFor } from '../testing/challenge-request.ts';
import {
  clientOf,
  KEYS,
  kernel,
  type LoopbackMiner,
  NETWORK,
  randomFrame,
  sr25519,
  startLoopbackMiner,
  type TestClient,
} from '../testing/loopback-miner.ts';
import { send, signedHeaders } from '../testing/raw-request.ts';

const signal = new AbortController().signal;
const TENANT = KEYS.tenant;

let miner: LoopbackMiner;
let tenant: TestClient;
beforeAll(async () => {
  miner = await startLoopbackMiner();
  tenant = clientOf(TENANT, TENANT);
});
afterAll(async () => {
  tenant.close();
  await miner.remove();
});

async function store(bytes: number): Promise<Held> {
  const frame = randomFrame(bytes);
  const put = await tenant.putShard(miner.peer, newOrderId(systemRandom), frame, signal);
  expect(put.ok).toBe(true);
  return { anchorId: frame.anchorId, anchor: anchorOf(kernel, frame.shard) };
}
const fileOf = ({ anchorId }: Held) => shardPath(foldersOf(miner.root), TENANT.hotkey, anchorId);

const signed = (request: ChallengeRequest, signer: Signer = TENANT) =>
  signStatement(signer, encodeRequest(NETWORK, request));

async function challenge(shards: readonly Held[], request: ChallengeRequest, record?: Uint8Array): Promise<Judgement> {
  const plan = planRound(NETWORK, request, new Map(shards.map(({ anchorId, anchor }) => [anchorId, anchor])));
  if (!plan.ok) throw new Error(plan.failure.message);
  const body = { request: signed(request), ...(record ? { record } : {}) };
  const answer = await tenant.challenge(miner.peer, body, plan.value.answerBytes, signal);
  if (!answer.ok) throw new Error(answer.failure.message);
  return verifyAnswer(sr25519.verify, plan.value, answer.value);
}
const verdicts = (judgement: Judgement) => judgement.items.map(({ verdict }) => verdict);

describe('a challenged miner', () => {
  it('proves what it holds, whatever its size', async () => {
    const shards = await Promise.all([32, 1024, 1025, 16 * 1024, 16 * 1024 + 1, 300_000].map(store));
    const judgement = await challenge(shards, requestFor(shards));
    expect(judgement.passed).toBe(true);
  });

  it('makes a tree anew when its row is missing or damaged', async () => {
    const shards = [await store(70_000), await store(90_000)];
    const db = foldersOf(miner.root).database;
    await miner.stop();
    const rows = new DatabaseSync(db);
    rows.prepare('DELETE FROM trees WHERE anchor = ?').run(Buffer.from(shards[0]?.anchorId ?? '', 'hex'));
    rows
      .prepare('UPDATE trees SET groups = zeroblob(length(groups)) WHERE anchor = ?')
      .run(Buffer.from(shards[1]?.anchorId ?? '', 'hex'));
    rows.close();
    miner = await startLoopbackMiner({ root: miner.root });
    expect((await challenge(shards, requestFor(shards))).passed).toBe(true);
    expect((await challenge(shards, requestFor(shards))).passed).toBe(true);
  });

  it('declares missing what it lacks, and proves the rest', async () => {
    const good = await store(50_000);
    const absent = { anchorId: 'ab'.repeat(32) as AnchorId, anchor: { root: new Uint8Array(32), bytes: 40_000 } };
    const rotten = await store(20_000);
    const bytes = await readFile(fileOf(rotten));
    await writeFile(
      fileOf(rotten),
      Uint8Array.from(bytes, (byte) => byte ^ 1),
    );
    const short = await store(20_000);
    await truncate(fileOf(short), 100);
    const dropped = await store(20_000);
    expect((await tenant.drop(miner.peer, [dropped.anchorId], 'drop', 1, signal)).ok).toBe(true);
    const missing = [rotten, short, dropped];
    for (const shard of missing) {
      const judgement = await challenge([good, shard], requestFor([good, shard]));
      expect(judgement.items.find(({ anchorId }) => anchorId === shard.anchorId)?.verdict).toBe('missing');
      expect(judgement.items.find(({ anchorId }) => anchorId === good.anchorId)?.verdict).toBe('passed');
      expect(judgement.passed).toBe(false);
    }
    // The plan cannot name an anchor that is none, so the raw answer is looked at: signature and one "missing".
    const request = requestFor([absent]);
    const answer = await tenant.challenge(miner.peer, { request: signed(request) }, 10_000, signal);
    expect(answer.ok && [answer.value.length, answer.value[64]]).toEqual([65, 2]);
  });

  it('answers the start of a chain with its signature alone', async () => {
    const zeros = new Uint8Array(32);
    const start = requestFor([], { round: 0, block: 0, prevTranscript: zeros, inventory: zeros, inventoryLeaves: 0 });
    const judgement = await challenge([], { ...start, salt: zeros });
    expect(verdicts(judgement)).toEqual([]);
    expect(judgement.answerSignature).not.toEqual(new Uint8Array(64));
  });

  it('refuses what is no challenge of its caller for it', async () => {
    const other = requestFor([], { miner: KEYS.otherTenant.hotkey });
    const theirs = requestFor([], { validator: KEYS.otherTenant.hotkey });
    const good = signed(requestFor([]));
    const record = signed(requestFor([]));
    const cases = [
      { id: 'empty', body: new Uint8Array(0) },
      { id: 'cut short', body: encodeChallengeBody({ request: good }).subarray(0, 200) },
      { id: 'for another miner', body: encodeChallengeBody({ request: signed(other) }) },
      { id: 'of another tenant', body: encodeChallengeBody({ request: signed(theirs, KEYS.otherTenant) }) },
      { id: 'signed by another', body: encodeChallengeBody({ request: signed(requestFor([]), KEYS.otherTenant) }) },
      { id: 'unsigned', body: encodeChallengeBody({ request: encodeRequest(NETWORK, requestFor([])) }) },
      { id: 'a record that is none', body: encodeChallengeBody({ request: good, record }) },
      {
        id: 'a record signed by another',
        body: encodeChallengeBody({ request: good, record: recordOf(requestFor([]), 1, KEYS.otherTenant).signed }),
      },
      {
        id: 'a record of another chain',
        body: encodeChallengeBody({ request: good, record: recordOf(other, 1).signed }),
      },
    ];
    for (const { id, body } of cases) {
      const target = '/v1/challenges';
      const headers = signedHeaders({ signer: TENANT, method: 'POST', target, body });
      const answer = await send(miner.port, { method: 'POST', target, headers, body });
      expect([id, answer.status, answer.code]).toEqual([id, 400, 'bad-challenge']);
    }
  });
});

function recordOf(request: ChallengeRequest, seed: number, signer: Signer = TENANT) {
  const value: AuditRecord = {
    request,
    sentAtMs: 1,
    elapsedMs: 1,
    answerSignature: new Uint8Array(64),
    items: request.items.map(() => ({ verdict: 'silent', bodyHash: new Uint8Array(32) })),
    transcript: new Uint8Array(32).fill(seed),
  };
  return { value, signed: signStatement(signer, encodeRecord(NETWORK, value)) };
}

describe("a miner's memory of its tenant's chain", () => {
  const kinds = () => miner.store.evidence(TENANT.hotkey).map(({ kind }) => kind);
  const next = () => ({ salt: systemRandom(32), inventory: systemRandom(32), inventoryLeaves: 77 });

  it('finds nothing wrong with a chain that keeps its commits', async () => {
    const before = kinds().length;
    const second = next();
    const third = next();
    const one = requestFor([], { nextCommit: commitOf(second), round: 0 });
    const oneRecord = recordOf(one, 11);
    const two = requestFor([], { ...second, prevTranscript: oneRecord.value.transcript, nextCommit: commitOf(third) });
    const twoRecord = recordOf(two, 12);
    const three = requestFor([], { ...third, prevTranscript: twoRecord.value.transcript });
    await challenge([], one);
    await challenge([], two, oneRecord.signed);
    await challenge([], three, twoRecord.signed);
    expect(kinds().slice(before)).toEqual([]);
  });

  it('keeps a broken commit as evidence, and answers', async () => {
    const before = kinds().length;
    const promised = next();
    const one = requestFor([], { nextCommit: commitOf(promised), round: 0 });
    const record = recordOf(one, 21);
    const broken = requestFor([], { ...promised, salt: systemRandom(32), prevTranscript: record.value.transcript });
    await challenge([], one);
    expect((await challenge([], broken, record.signed)).answerSignature).not.toEqual(new Uint8Array(64));
    const kept = miner.store.evidence(TENANT.hotkey).slice(before);
    expect(kept.map(({ kind }) => kind)).toEqual(['commit']);
    expect(kept[0]?.first).toEqual(record.signed);
  });

  it('checks a commit of which it missed the request, from the record', async () => {
    const before = kinds().length;
    const promised = next();
    const missed = recordOf(requestFor([], { nextCommit: commitOf(promised) }), 31);
    const fine = requestFor([], { ...promised, prevTranscript: missed.value.transcript });
    await challenge([], fine, missed.signed);
    expect(kinds().slice(before)).toEqual([]);
    const broken = requestFor([], { ...next(), prevTranscript: missed.value.transcript });
    await challenge([], broken, missed.signed);
    expect(kinds().slice(before)).toEqual(['commit']);
  });

  it('keeps two records of one round with different transcripts, and a record of what was not asked', async () => {
    const before = kinds().length;
    const asked = requestFor([], { round: 0 });
    await challenge([], asked);
    const otherwise = recordOf({ ...asked, salt: systemRandom(32), round: 0 }, 41);
    await challenge([], requestFor([], { round: 0 }), otherwise.signed);
    expect(kinds().slice(before)).toContain('request');
    const twice = requestFor([]);
    await challenge([], requestFor([], { round: 0 }), recordOf(twice, 42).signed);
    await challenge([], requestFor([], { round: 0 }), recordOf(twice, 43).signed);
    expect(kinds().slice(before)).toContain('fork');
  });

  it('survives a restart', async () => {
    const kept = kinds();
    expect(kept.length).toBeGreaterThan(0);
    await miner.stop();
    miner = await startLoopbackMiner({ root: miner.root });
    expect(kinds()).toEqual(kept);
  });
});
