/**
 * What audits cost (por/v1 §12): answers judged per second, a validator's work for a round at 10³ and 10⁶ owed shards,
 * a miner's work for 30 leaves. One core; the miner's proofs come from its cache and a real file.
 */
import { mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { hotkeyOf } from '#shared/primitives/ids.ts';
import { AnchorHasher, anchorIdOf } from '#shared/proof/anchor.ts';
import { signAnswer } from '#shared/proof/challenge-answer.ts';
import { type ChallengeRequest, encodeRequest, MAX_ROUND_LEAVES } from '#shared/proof/challenge-request.ts';
import { nodeFastHashing } from '#shared/proof/node-fast-hashing.ts';
import { proveFromCache, proverCacheOf } from '#shared/proof/prover-cache.ts';
import { selectShards } from '#shared/proof/sample.ts';
import { signStatement } from '#shared/proof/statement.ts';
import { planRound, verifyAnswer } from '#shared/proof/verify-answer.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import { openDatabase } from '#validator/state/database.ts';
import { createInventories } from '#validator/state/inventories.ts';
import { OWED_SCHEMA } from '#validator/state/owed-rows.ts';

const MIB = 2 ** 20;
const SHARD_BYTES = 64 * MIB;
const NETWORK = { genesis: new Uint8Array(32), netuid: 21 };
const kernel = loadNodeKernel();
const fast = nodeFastHashing();
const sr25519 = await loadSr25519();
const miner = sr25519.signerFromSeed(new Uint8Array(32).fill(1));
const validator = sr25519.signerFromSeed(new Uint8Array(32).fill(2));
const folder = mkdtempSync(join(tmpdir(), 'filetao-bench-audit-'));

/** Milliseconds of processor time a run, the best of several: other work on the machine only ever adds. */
async function bestMs(runs: number, work: () => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

function request(round: number, items: ChallengeRequest['items']): ChallengeRequest {
  const bytes = (fill: number) => new Uint8Array(32).fill(fill + round);
  return {
    ...{ validator: validator.hotkey, miner: miner.hotkey, round, block: 25 * round, blockHash: bytes(1) },
    ...{ prevTranscript: bytes(2), inventory: bytes(3), inventoryLeaves: 65_536, salt: bytes(4), nextCommit: bytes(5) },
    ...{ leaves: items.reduce((sum, { leaves }) => sum + leaves, 0), sweep: false, items },
  };
}

async function benchAnswers(): Promise<void> {
  const file = join(folder, 'shard');
  const handle = openSync(file, 'w+');
  const hasher = new AnchorHasher(kernel);
  for (let at = 0; at < SHARD_BYTES; at += MIB) {
    const piece = new Uint8Array(MIB);
    for (let from = 0; from < MIB; from += 65_536) crypto.getRandomValues(piece.subarray(from, from + 65_536));
    writeSync(handle, piece);
    hasher.update(piece);
  }
  const { root, bytes, groups } = hasher.finish();
  const anchorId = anchorIdOf({ root, bytes });
  const cache = proverCacheOf(kernel, bytes, groups);
  const read = async (at: number, count: number) => {
    const piece = new Uint8Array(count);
    readSync(handle, piece, 0, count, at);
    return piece;
  };
  const plans = Array.from({ length: 20 }, (_, round) => {
    const asked = request(round + 1, [{ anchorId, leaves: MAX_ROUND_LEAVES }]);
    const plan = planRound(NETWORK, asked, new Map([[anchorId, { root, bytes }]]));
    if (!plan.ok) throw new Error(plan.failure.message);
    return plan.value;
  });
  const answers: Uint8Array[] = [];
  const proveMs = await bestMs(3, async () => {
    answers.length = 0;
    for (const plan of plans) {
      const levels = proverCacheOf(kernel, bytes, groups);
      const body = await proveFromCache(kernel, levels, plan.items[0]?.indices ?? [], read);
      if (!body.ok) throw new Error(body.failure.message);
      answers.push(signAnswer(miner, plan.requestBytes, [body.value]));
    }
  });
  const judge = () => {
    plans.forEach((plan, i) => {
      if (!verifyAnswer(sr25519.verify, plan, answers[i] as Uint8Array, { fast }).passed)
        throw new Error('an honest answer failed');
    });
  };
  const judgeMs = (await bestMs(10, judge)) / plans.length;
  console.log(
    `judge an answer, 30 leaves of 64 MiB, with its signature   ${judgeMs.toFixed(2)} ms   ${Math.round(1000 / judgeMs)}/s`,
  );
  console.log(
    `miner: 30 leaves of 64 MiB proven and signed               ${(proveMs / plans.length).toFixed(2)} ms   (levels built anew from ${cache.levels[0]?.length ?? 0} bytes kept)`,
  );
  console.log(`answer                                                     ${answers[0]?.length ?? 0} bytes`);
}

/** All of a validator's own work for one miner's round but the answer: draw, freeze, sign, open. */
async function benchRound(shards: number): Promise<number> {
  const db = openDatabase(join(folder, String(shards)), [OWED_SCHEMA]);
  const inventories = createInventories(db);
  const owner = hotkeyOf(new Uint8Array(32).fill(9));
  const anchor = new Uint8Array(32);
  const view = new DataView(anchor.buffer);
  for (let from = 0; from < shards; from += 10_000) {
    db.transaction(() => {
      for (let i = from; i < Math.min(shards, from + 10_000); i++) {
        view.setUint32(0, Math.imul(i, 2_654_435_761));
        view.setUint32(28, i);
        const anchorId = Buffer.from(anchor).toString('hex') as never;
        inventories.add(owner, {
          anchorId,
          anchorType: 1,
          root: anchor,
          bytes: 1000 + (i % 250) * 1024,
          place: undefined,
        });
      }
    });
  }
  inventories.freeze(owner);
  let round = 0;
  const once = async () => {
    for (let i = 0; i < 50; i++) {
      const frozen = inventories.frozen(owner);
      if (!frozen) throw new Error('frozen just now');
      const context = new Uint8Array(32).fill(++round);
      const items = await selectShards(context, frozen, MAX_ROUND_LEAVES);
      inventories.freeze(owner);
      signStatement(validator, encodeRequest(NETWORK, request(round, items)));
    }
  };
  const ms = (await bestMs(10, once)) / 50;
  db.close();
  return ms;
}

try {
  await benchAnswers();
  const small = await benchRound(1000);
  const large = await benchRound(1_000_000);
  console.log(`one miner's round but its answer, 10³ shards owed          ${small.toFixed(2)} ms`);
  console.log(
    `                                  10⁶ shards owed          ${large.toFixed(2)} ms   ${(large / small).toFixed(2)} ×`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
