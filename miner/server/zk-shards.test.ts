import { open } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { concatBytes } from '#shared/primitives/bytes.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { newOrderId } from '#shared/primitives/ids.ts';
import { anchorOf } from '#shared/proof/anchor.ts';
import { idOfAnchor } from '#shared/proof/any-anchor.ts';
import { encodeRequest } from '#shared/proof/challenge-request.ts';
import { signStatement } from '#shared/proof/statement.ts';
import { planRound, verifyAnswer } from '#shared/proof/verify-answer.ts';
import { zkAnchorOf } from '#shared/proof/zk/zk-anchor.ts';
import { encodeFrameHead, FRAMES_TYPE, STREAM_END } from '#shared/wire/frames.ts';
import { MAX_ZK_FILE_BYTES } from '#shared/wire/limits.ts';
import { ReplyParser } from '#shared/wire/replies.ts';
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
  ZK,
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

function zkFrame(bytes: number) {
  const blindKey = systemRandom(32);
  const frame = randomFrame(bytes);
  const { anchor } = zkAnchorOf({ zk: ZK.zkKernel(), hash: kernel }, blindKey, frame.shard);
  return { anchor, frame: { ...frame, anchorId: idOfAnchor(anchor), blindKey } };
}

async function store(bytes: number): Promise<Held> {
  const { anchor, frame } = zkFrame(bytes);
  const put = await tenant.putShard(miner.peer, newOrderId(systemRandom), frame, signal);
  if (!put.ok) throw new Error(put.failure.message);
  return { anchorId: frame.anchorId, anchor };
}

async function verdicts(shards: readonly Held[]): Promise<readonly string[]> {
  const request = requestFor(shards);
  const plan = planRound(NETWORK, request, new Map(shards.map(({ anchorId, anchor }) => [anchorId, anchor])));
  if (!plan.ok) throw new Error(plan.failure.message);
  const signed = signStatement(TENANT, encodeRequest(NETWORK, request));
  const answer = await tenant.challenge(miner.peer, { request: signed }, plan.value.answerBytes, signal);
  if (!answer.ok) throw new Error(answer.failure.message);
  const zk = { kernel: ZK.zkKernel, random: systemRandom };
  const judgement = verifyAnswer(sr25519.verify, plan.value, answer.value, { zk });
  return shards.map(({ anchorId }) => judgement.items.find((item) => item.anchorId === anchorId)?.verdict ?? 'none');
}

describe('a shard of anchor type 2', () => {
  it('is stored, served without its blind key, and proven, also after a restart', async () => {
    const sizes = [32, 1024, 1025, 40_000];
    const shards = await Promise.all(sizes.map(store));
    expect(await verdicts(shards)).toEqual(sizes.map(() => 'passed'));
    await miner.stop();
    miner = await startLoopbackMiner({ root: miner.root });
    expect(await verdicts(shards)).toEqual(sizes.map(() => 'passed'));
    for (const [i, { anchorId }] of shards.entries()) {
      const head = await tenant.headShard(miner.peer, anchorId, signal);
      expect(head).toEqual({ ok: true, value: { bytes: sizes[i] } });
    }
  });

  it('is proven in one round with shards of type 1, each by its own level', async () => {
    const frame = randomFrame(5000);
    const put = await tenant.putShard(miner.peer, newOrderId(systemRandom), frame, signal);
    expect(put.ok).toBe(true);
    const por = { anchorId: frame.anchorId, anchor: anchorOf(kernel, frame.shard) };
    const zk = await store(5000);
    expect(await verdicts([por, zk])).toEqual(['passed', 'passed']);
    const { root, bytes } = zk.anchor;
    // The same root under the other tag is another shard: nothing here has that name.
    const posing = { anchorId: idOfAnchor({ root, bytes }), anchor: { root, bytes } };
    expect(await verdicts([por, posing])).toEqual(['passed', 'missing']);
  });

  it('arrives over a stream as well, its key in front', async () => {
    const { frame } = zkFrame(5000);
    const { blindKey, ...plain } = frame;
    const shard = concatBytes(blindKey, frame.shard);
    const body = concatBytes(encodeFrameHead({ ...plain, shard }), shard, STREAM_END);
    const target = `/v1/shards?order=${newOrderId(systemRandom)}&max=${shard.length}&type=2`;
    const head = { method: 'POST', target, signer: TENANT };
    const headers = {
      ...signedHeaders(head),
      'content-type': FRAMES_TYPE,
      'transfer-encoding': 'chunked',
    };
    const answer = await send(miner.port, { method: 'POST', target, headers, body });
    expect(answer.status).toBe(202);
    const parser = new ReplyParser();
    expect(parser.push(answer.body)).toMatchObject({ items: [{ kind: 'receipt' }] });
  });

  it('is declared missing once a bit of an asked leaf is flipped, or its commitments are gone', async () => {
    const [rotten, forgotten, whole] = await Promise.all([store(900), store(901), store(902)]);
    if (!rotten || !forgotten || !whole) throw new Error('three shards');
    const file = await open(shardPath(foldersOf(miner.root), TENANT.hotkey, rotten.anchorId), 'r+');
    await file.write(Uint8Array.of(1, 2, 3, 4), 0, 4, 100);
    await file.close();
    await miner.stop();
    const rows = new DatabaseSync(foldersOf(miner.root).database);
    rows.prepare('DELETE FROM trees WHERE anchor = ?').run(Buffer.from(forgotten.anchorId, 'hex'));
    rows.close();
    miner = await startLoopbackMiner({ root: miner.root });
    expect(await verdicts([rotten, forgotten, whole])).toEqual(['missing', 'missing', 'passed']);
  });

  it('is refused with another key, as type 1, and above its size', async () => {
    const order = newOrderId(systemRandom);
    const { frame } = zkFrame(2000);
    const put = async (changed: Parameters<TestClient['putShard']>[2]) => {
      const stored = await tenant.putShard(miner.peer, order, changed, signal);
      return stored.ok ? 'stored' : (stored.failure.problem ?? stored.failure.code);
    };
    const { blindKey: _, ...plain } = frame;
    expect(await put({ ...frame, blindKey: systemRandom(32) })).toBe('wrong-anchor');
    expect(await put(plain)).toBe('wrong-anchor');
    expect(await put({ ...frame, shard: new Uint8Array(MAX_ZK_FILE_BYTES + 1) })).toBe('bad-target');
    expect(await put(frame)).toBe('stored');
    expect(await put(frame)).toBe('stored');
  });
});
