import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordIn } from '#shared/ledger/entries.ts';
import { logEntries } from '#shared/ledger/node-log-files.ts';
import { type AuditRecord, parseRecord } from '#shared/proof/audit-record.ts';
import { commitOf } from '#shared/proof/seed.ts';
import { openSigned } from '#shared/proof/statement.ts';
import {
  AuditWorld,
  NETWORK,
  ROUND_BLOCKS,
  sr25519,
  VALIDATOR,
  type WorldMiner,
} from '#validator/testing/audit-world.ts';
import { voidOpenRequests } from './ask-miners.ts';
import { challengeMiners, type RoundReport } from './challenge-miners.ts';
import { sweepMiners } from './sweep-miners.ts';

const signal = new AbortController().signal;
const SCHEDULE = { roundBlocks: ROUND_BLOCKS };

let world: AuditWorld;
beforeEach(async () => {
  world = await AuditWorld.open();
});
afterEach(() => world.remove());

const first = (): WorldMiner => world.miners[0] as WorldMiner;
async function round(): Promise<RoundReport | undefined> {
  world.nextRound();
  return challengeMiners(world.ports, SCHEDULE, signal);
}
/** All miners owe shards, their chains are started, and this many rounds were asked. */
async function started(rounds = 0): Promise<void> {
  for (const miner of world.miners) for (let i = 0; i < 8; i++) world.owe(miner, 5000 + 700 * i);
  await round();
  for (let i = 0; i < rounds; i++) await round();
}

async function recordsOf(miner: WorldMiner): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  for await (const { payload } of logEntries(join(world.folder, 'ledger'), 'records')) {
    const parse = (bytes: Uint8Array) => parseRecord(NETWORK, bytes);
    const opened = openSigned(sr25519.verify, 'record', recordIn(payload), parse, () => VALIDATOR.hotkey);
    if (!opened.ok) throw new Error(opened.failure.message);
    if (opened.value.request.miner === miner.hotkey) records.push(opened.value);
  }
  return records;
}

describe('a round', () => {
  it('starts chains first, and asks every miner in the next', async () => {
    await started();
    expect(world.batches).toEqual([]);
    expect(await round()).toMatchObject({ asked: 3, passed: 3, wrong: 0, silent: 0, void: 0 });
    const [batch] = world.batches;
    expect(batch).toMatchObject({ id: `round:${world.head / ROUND_BLOCKS}`, task: 'challenge', block: world.head });
    expect(batch?.observations.map(({ ending, reason }) => [ending, reason])).toEqual(
      Array(3).fill(['passed', 'passed']),
    );
    expect(batch?.observations.every(({ seconds, bytes }) => seconds > 0 && bytes > 1000)).toBe(true);
  });

  it('is asked once, whatever the schedule does, also after a restart', async () => {
    await started(1);
    expect(await challengeMiners(world.ports, SCHEDULE, signal)).toBeUndefined();
    world.head += 3;
    expect(await challengeMiners(world.ports, SCHEDULE, signal)).toBeUndefined();
    await world.restart();
    expect(await challengeMiners(world.ports, SCHEDULE, signal)).toBeUndefined();
    expect(world.batches).toHaveLength(1);
  });

  it('is skipped when its block was final too long ago, and the next one is asked', async () => {
    await started(1);
    world.nextRound();
    world.head += 11;
    expect(await challengeMiners(world.ports, SCHEDULE, signal)).toBeUndefined();
    expect(await round()).toMatchObject({ asked: 3, passed: 3 });
  });

  it('links its records: transcript, commit, inventory, also over silence and changes of the inventory', async () => {
    await started(1);
    world.owe(first(), 90_000);
    await round();
    first().fault = 'unreachable';
    await round();
    first().fault = undefined;
    await round();
    await round();
    const records = await recordsOf(first());
    expect(records).toHaveLength(6);
    records.slice(1).forEach((record, i) => {
      const before = records[i] as AuditRecord;
      expect(record.request.prevTranscript).toEqual(before.transcript);
      expect(commitOf(record.request)).toEqual(before.request.nextCommit);
    });
    expect(records.map(({ items }) => items[0]?.verdict)).toEqual([
      undefined,
      ...['passed', 'passed', 'silent', 'passed', 'passed'],
    ]);
    // What is owed since a request was sent is drawn from in the round after the next.
    expect(new Set(records.slice(1).map(({ request }) => request.inventoryLeaves)).size).toBe(2);
  });

  it('sends each miner the signed record of the request before', async () => {
    await started(2);
    const records = first().records.map((signed) => {
      const opened = openSigned(
        sr25519.verify,
        'record',
        signed,
        (b) => parseRecord(NETWORK, b),
        () => VALIDATOR.hotkey,
      );
      return opened.ok ? opened.value.request.round : undefined;
    });
    expect(records).toEqual([0, 5 + 1]);
  });

  it('counts what is wrong or missing against the miner, silence for nothing, and reports the lost shards', async () => {
    await started();
    const [wrong, missing, silent] = world.miners as [WorldMiner, WorldMiner, WorldMiner];
    wrong.prover.cheat = (honest) => honest?.map((byte, i) => (i === 3 ? byte ^ 1 : byte));
    missing.prover.cheat = () => undefined;
    silent.fault = 'unreachable';
    expect(await round()).toMatchObject({ passed: 0, wrong: 2, silent: 1, void: 0 });
    const reasons = world.batches[0]?.observations.map(({ reason }) => reason);
    expect(reasons).toEqual(['wrong-leaf', 'declared-missing', 'unreachable']);
    expect(new Set(world.losses.map(({ reason }) => reason))).toEqual(new Set(['wrong', 'declared-missing']));
    expect(world.losses[0]).toMatchObject({ file: 1, segment: 0, evidence: `round:${world.head / ROUND_BLOCKS}` });
  });

  it.each([
    { id: 'a byte short', reply: (honest: Uint8Array) => honest.subarray(0, honest.length - 1) },
    { id: 'a byte long', reply: (honest: Uint8Array) => Uint8Array.from([...honest, 0]) },
    { id: 'a broken signature', reply: (honest: Uint8Array) => honest.map((byte, i) => (i === 5 ? byte ^ 1 : byte)) },
    { id: 'empty', reply: () => new Uint8Array(0) },
  ])('judges an answer that is $id as malformed, and nothing is reported lost', async ({ reply }) => {
    await started();
    first().reply = reply;
    await round();
    expect(world.batches[0]?.observations[0]).toMatchObject({ ending: 'silent', reason: 'malformed' });
    expect(world.losses).toEqual([]);
    expect((await recordsOf(first())).at(-1)?.items[0]?.verdict).toBe('malformed');
  });

  it('excuses shards that the tenant itself dropped since the inventory was frozen', async () => {
    await started(1);
    for (const anchorId of [...first().prover.shards.keys()].slice(0, 6)) {
      world.ports.inventories.remove(first().hotkey, anchorId);
      first().prover.shards.delete(anchorId);
    }
    await round();
    const { items } = (await recordsOf(first())).at(-1) as AuditRecord;
    expect(new Set(items.map(({ verdict }) => verdict))).toEqual(new Set(['passed', 'void']));
    expect(world.batches.at(-1)?.observations[0]).toMatchObject({ ending: 'passed' });
    expect(world.losses).toEqual([]);
  });

  it('is void for everyone when no miner at all was reached', async () => {
    await started();
    for (const miner of world.miners) miner.fault = 'unreachable';
    expect(await round()).toMatchObject({ asked: 3, void: 3, silent: 0 });
    expect(world.batches).toEqual([]);
    for (const miner of world.miners) miner.fault = undefined;
    expect(await round()).toMatchObject({ passed: 3 });
  });

  it('is void for a miner that could not be asked because of us', async () => {
    await started();
    first().fault = 'throws';
    expect(await round()).toMatchObject({ passed: 2, void: 1 });
    expect(world.batches[0]?.observations).toHaveLength(2);
  });

  it('is void for miners whose turn came too late', async () => {
    await started();
    world.nextRound();
    const { newest } = world.ports.blocks;
    let looks = 0;
    const blocks = {
      ...world.ports.blocks,
      newest: () => (looks++ < 2 ? newest() : { ...newest(), number: world.head + 11 }),
    };
    const report = await challengeMiners({ ...world.ports, blocks }, SCHEDULE, signal);
    expect(report).toMatchObject({ asked: 3, passed: 1, void: 2 });
  });
});

describe('a crash', () => {
  it('between verdict and reward leaves neither: the round becomes void, and the chain goes on', async () => {
    await started();
    world.onRecord = () => {
      throw new Error('killed');
    };
    await expect(round()).rejects.toThrow('killed');
    expect(world.ports.book.opened()).toHaveLength(3);
    world.onRecord = () => {};
    await world.restart();
    expect(await voidOpenRequests(world.ports)).toBe(3);
    expect(await voidOpenRequests(world.ports)).toBe(0);
    expect(world.batches).toEqual([]);
    expect((await recordsOf(first())).at(-1)?.items.map(({ verdict }) => verdict)).toContain('void');
    expect(await challengeMiners(world.ports, SCHEDULE, signal)).toBeUndefined();
    expect(await round()).toMatchObject({ passed: 3 });
    const records = await recordsOf(first());
    expect(records.at(-1)?.request.prevTranscript).toEqual(records.at(-2)?.transcript);
  });

  it('between the transaction and the files loses no record and doubles none', async () => {
    await started(1);
    const { ledger } = world.ports;
    const unflushed = {
      keepAnswers: (answers: Parameters<typeof ledger.keepAnswers>[0]) => ledger.keepAnswers(answers),
      put: (record: Uint8Array) => ledger.put(record),
      flush: async () => {},
    };
    world.nextRound();
    await challengeMiners({ ...world.ports, ledger: unflushed }, SCHEDULE, signal);
    expect(await recordsOf(first())).toHaveLength(2);
    await world.restart();
    expect(await recordsOf(first())).toHaveLength(3);
    await world.restart();
    expect(await recordsOf(first())).toHaveLength(3);
  });
});

describe('a sweep', () => {
  it('visits every shard once, beside the rounds, in the same chain', async () => {
    for (let i = 0; i < 300; i++) world.owe(first(), 40 + i * 10);
    await round();
    const seen = new Map<string, number>();
    for (let i = 0; i < 2; i++) {
      await round();
      const report = await sweepMiners(world.ports, SCHEDULE, signal);
      expect(report).toMatchObject({ asked: 1, lost: 0 });
      expect(await sweepMiners(world.ports, SCHEDULE, signal)).toBeUndefined();
      for (const { anchorId } of (await recordsOf(first())).at(-1)?.request.items ?? []) {
        seen.set(anchorId, (seen.get(anchorId) ?? 0) + 1);
      }
    }
    expect(seen.size).toBe(300);
    expect([...seen.values()].every((times) => times === 1)).toBe(true);
    expect(world.batches.every(({ id }) => id.startsWith('round:'))).toBe(true);
    const records = await recordsOf(first());
    records.slice(1).forEach((record, i) => {
      expect(record.request.prevTranscript).toEqual(records[i]?.transcript);
    });
  });

  it('reports what is lost and counts nothing', async () => {
    await started(1);
    const [gone] = [...first().prover.shards.keys()];
    first().prover.shards.delete(gone as never);
    const before = world.batches.length;
    expect(await sweepMiners(world.ports, SCHEDULE, signal)).toMatchObject({ lost: 1 });
    expect(world.losses).toHaveLength(1);
    expect(world.losses[0]).toMatchObject({
      reason: 'declared-missing',
      evidence: `sweep:${world.head / ROUND_BLOCKS}`,
    });
    expect(world.batches).toHaveLength(before);
  });
});
