import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemRandom } from '#shared/primitives/effects.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import { type AuditRecord, encodeRecord, parseRecord } from '#shared/proof/audit-record.ts';
import { type ChallengeRequest, encodeRequest } from '#shared/proof/challenge-request.ts';
import { contextOf, seedOf } from '#shared/proof/seed.ts';
import { SIGNATURE_BYTES, signStatement } from '#shared/proof/statement.ts';
import { encodeStore } from '#shared/proof/store-receipt.ts';
import { EMPTY_HASH, roundTranscript, type Verdict } from '#shared/proof/transcript.ts';
import { loadNodeZkKernel } from '#shared/proof/zk/node-zk-kernel.ts';
import { challengeMiners } from '#validator/flows/audit/challenge-miners.ts';
import { sweepMiners } from '#validator/flows/audit/sweep-miners.ts';
import {
  AuditWorld,
  blockHash,
  NETWORK,
  ROUND_BLOCKS,
  sr25519,
  VALIDATOR,
  type WorldMiner,
} from '#validator/testing/audit-world.ts';
import type { AuditReport } from './audit-report.ts';
import { type ExportLine, encodeLine, parseLine } from './export-lines.ts';
import { auditExport } from './node-audit-export.ts';
import { type VerifyPorts, verifyExport } from './verify-export.ts';

const PORTS: VerifyPorts = { verify: sr25519.verify, zk: { kernel: loadNodeZkKernel, random: systemRandom } };
const signal = new AbortController().signal;
const SCHEDULE = { roundBlocks: ROUND_BLOCKS };

let world: AuditWorld;
/** The honest export: two miners, seven rounds with everything that can happen, a sweep. */
let honest: readonly ExportLine[];

async function linesOf(folder: string, wanted = {}): Promise<ExportLine[]> {
  const exported = await auditExport(folder, wanted);
  if (!exported.ok) throw new Error(exported.failure.message);
  const lines: ExportLine[] = [];
  for await (const text of exported.value) {
    const line = parseLine(text);
    if (!line) throw new Error(`no line: ${text.slice(0, 80)}`);
    lines.push(line);
  }
  return lines;
}

beforeAll(async () => {
  world = await AuditWorld.open(2);
  const [one, two] = world.miners as [WorldMiner, WorldMiner];
  const round = async () => {
    world.nextRound();
    await challengeMiners(world.ports, SCHEDULE, signal);
  };
  for (let i = 0; i < 8; i++) world.owe(one, 9000 + 811 * i);
  for (let i = 0; i < 3; i++) world.owe(two, 70_000);
  await keepReceipts(one);
  await round();
  await round();
  one.fault = 'unreachable';
  await round();
  one.fault = undefined;
  one.prover.cheat = (body) => body?.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
  await round();
  one.prover.cheat = undefined;
  two.prover.cheat = () => undefined;
  world.owe(one, 40_000);
  await round();
  two.prover.cheat = undefined;
  two.reply = (answer) => answer.subarray(1);
  // Most of what it owes, so that the round in flight draws some of it.
  for (const dropped of [...one.prover.shards.keys()].slice(0, 6)) {
    world.ports.inventories.remove(one.hotkey, dropped);
    one.prover.shards.delete(dropped);
  }
  await round();
  two.reply = undefined;
  await sweepMiners(world.ports, SCHEDULE, signal);
  await round();
  honest = await linesOf(world.folder);
}, 30_000);
afterAll(() => world.remove());

async function keepReceipts(miner: WorldMiner): Promise<void> {
  const receipts = [...miner.prover.shards.values()].map(({ anchor }, seq) => {
    const anchorId = [...miner.prover.shards].find(([, shard]) => shard.anchor === anchor)?.[0] as never;
    const store = {
      miner: miner.hotkey,
      tenant: VALIDATOR.hotkey,
      caller: VALIDATOR.hotkey,
      order: '00'.repeat(16) as never,
    };
    const times = { seq, storedAtMs: 1, holdUntilMs: 2 };
    return signStatement(
      miner.prover.signer,
      encodeStore(NETWORK, { ...store, anchorId, bytes: anchor.bytes, ...times }),
    );
  });
  await world.ports.ledger.keepReceipts(receipts);
}

const judge = (lines: readonly ExportLine[], ports: VerifyPorts = PORTS) => verifyExport(lines.map(encodeLine), ports);
async function reportOf(lines: readonly ExportLine[], ports?: VerifyPorts): Promise<AuditReport> {
  const verified = await judge(lines, ports);
  if (!verified.ok) throw new Error(verified.failure.message);
  return verified.value;
}

describe('an honest export', () => {
  it('is accepted, with every verdict counted', async () => {
    const report = await reportOf(honest);
    expect(report.records).toBe(2 * 8);
    const [one, two] = report.miners;
    expect(one).toMatchObject({ rounds: 6, sweeps: 1, passed: 4, attempts: 6, trimmedBefore: undefined });
    expect(one).toMatchObject({ added: 9, receipted: 8 });
    expect(one?.verdicts.silent).toBeGreaterThan(0);
    expect(one?.verdicts.wrong).toBeGreaterThan(0);
    expect(two).toMatchObject({ rounds: 6, passed: 4, receipted: 0 });
    expect(two?.verdicts.malformed).toBeGreaterThan(0);
    expect(two?.verdicts.missing).toBeGreaterThan(0);
  });

  it('names what rests on the validator’s word alone', async () => {
    const { wordAlone } = await reportOf(honest);
    const found = new Set(wordAlone.map(({ verdict, why }) => `${verdict} ${why}`));
    expect(found).toEqual(new Set(['silent unsigned', 'malformed unsigned', 'void unsigned', 'missing no-receipt']));
  });

  it('without answers leaves verdicts on bodies to the validator’s word, and nothing else changes', async () => {
    const report = await reportOf(await linesOf(world.folder, { answers: false }));
    expect(report.wordAlone.some(({ verdict, why }) => verdict === 'passed' && why === 'answer-not-kept')).toBe(true);
    expect(report.miners).toEqual((await reportOf(honest)).miners);
  });

  it('lists block hashes as assumptions, unless a chain is there to ask', async () => {
    const assumed = await reportOf(honest);
    expect(assumed.assumptions.length).toBe(6);
    expect(assumed.blocksChecked).toBe(0);
    const checked = await reportOf(honest, { ...PORTS, blockHash: async (number) => blockHash(number) });
    expect(checked).toMatchObject({ assumptions: [], blocksChecked: 6 });
  });

  it('may begin late, and says so', async () => {
    const fromRound = world.head / ROUND_BLOCKS - 2;
    const report = await reportOf(await linesOf(world.folder, { fromRound }));
    expect(report.miners.map(({ trimmedBefore }) => trimmedBefore)).toEqual([fromRound, fromRound]);
  });

  it('whose newest round was turned into silence cannot be told from silence, and is the validator’s word', async () => {
    // Only the miner's own copy of the record contradicts it (two records of one round).
    const last = honest.length - 2;
    const forged = replaced(last, resign(honest[last] as ExportLine, everyVerdict('silent')));
    const before = (await reportOf(honest)).wordAlone.length;
    expect((await reportOf(forged)).wordAlone).toHaveLength(before + 1);
  });

  it('may be of one miner', async () => {
    const { hotkey } = world.miners[1] as WorldMiner;
    expect((await reportOf(await linesOf(world.folder, { miners: [hotkey] }))).miners).toHaveLength(1);
  });
});

/** Signs a record anew after a change: what a dishonest validator would do. */
function resign(
  line: ExportLine,
  change: (record: AuditRecord) => AuditRecord,
  signer: Signer = VALIDATOR,
): ExportLine {
  if (line.kind !== 'record') throw new Error('not a record');
  const parsed = parseRecord(NETWORK, line.signed.subarray(0, line.signed.length - SIGNATURE_BYTES));
  if (!parsed.ok) throw new Error(parsed.failure.message);
  return { ...line, signed: signStatement(signer, encodeRecord(NETWORK, change(parsed.value))) };
}
const recordIn = (line: ExportLine): AuditRecord | undefined => {
  if (line.kind !== 'record') return undefined;
  const parsed = parseRecord(NETWORK, line.signed.subarray(0, line.signed.length - SIGNATURE_BYTES));
  return parsed.ok ? parsed.value : undefined;
};
/** The transcript that would belong to a record: a forger computes it, too. */
function withTranscript(record: AuditRecord): AuditRecord {
  const { request } = record;
  const context = contextOf(request);
  const items = record.items.map((item, i) => {
    const { anchorId } = request.items[i] as ChallengeRequest['items'][number];
    return { ...item, seed: seedOf(NETWORK, request, anchorId, context) };
  });
  const transcript = roundTranscript(request.prevTranscript, items, encodeRequest(NETWORK, request), undefined);
  return { ...record, answerSignature: new Uint8Array(64), transcript };
}

const at = (test: (record: AuditRecord, line: ExportLine) => boolean): number =>
  honest.findIndex((line) => {
    const record = recordIn(line);
    return record !== undefined && test(record, line);
  });
const ordinary = (record: AuditRecord) => record.request.items.length > 0 && !record.request.sweep;
const says = (verdict: Verdict) => (record: AuditRecord) =>
  ordinary(record) && record.items.some((item) => item.verdict === verdict);
const replaced = (index: number, line: ExportLine): ExportLine[] => honest.with(index, line);
const without = (index: number): ExportLine[] => honest.toSpliced(index, 1);
const flip = (bytes: Uint8Array, index: number): Uint8Array => bytes.with(index, (bytes[index] as number) ^ 1);
const everyVerdict = (verdict: Verdict) => (record: AuditRecord) =>
  withTranscript({ ...record, items: record.items.map(() => ({ verdict, bodyHash: EMPTY_HASH })) });
const renamed = (change: Partial<ChallengeRequest>) => (record: AuditRecord) =>
  withTranscript({ ...record, ...everyVerdict('silent')(record), request: { ...record.request, ...change } });

describe('a tampered export is refused:', () => {
  const passedAt = () => at(says('passed'));
  const cases: { id: string; code: string; lines: () => ExportLine[] }[] = [
    { id: 'no line at all', code: 'not-an-export', lines: () => [] },
    { id: 'no head', code: 'not-an-export', lines: () => without(0) },
    { id: 'two heads', code: 'not-an-export', lines: () => [honest[0] as ExportLine, ...honest] },
    { id: 'no last line', code: 'cut-off', lines: () => honest.slice(0, -1) },
    { id: 'the last record cut off', code: 'cut-off', lines: () => without(honest.length - 2) },
    { id: 'something after the end', code: 'not-an-export', lines: () => [...honest, honest[1] as ExportLine] },
    { id: 'a miner named twice', code: 'not-an-export', lines: () => honest.toSpliced(2, 0, honest[1] as ExportLine) },
    { id: 'a record dropped from the middle', code: 'broken-link', lines: () => without(passedAt()) },
    {
      id: 'two records swapped',
      code: 'wrong-inventory',
      lines: () => {
        const first = at((record) => record.request.items.length === 0);
        const next = honest.findIndex((line, i) => i > first && line.kind === 'record');
        return replaced(first, honest[next] as ExportLine).with(next, honest[first] as ExportLine);
      },
    },
    {
      id: 'two later records swapped',
      code: 'broken-link',
      lines: () => {
        const first = passedAt();
        const next = honest.findIndex((line, i) => i > first && line.kind === 'record');
        return replaced(first, honest[next] as ExportLine).with(next, honest[first] as ExportLine);
      },
    },
    {
      id: 'a record repeated',
      code: 'broken-link',
      lines: () => honest.toSpliced(passedAt(), 0, honest[passedAt()] as ExportLine),
    },
    {
      id: 'passed turned into silent, signed anew',
      code: 'broken-link',
      lines: () => replaced(passedAt(), resign(honest[passedAt()] as ExportLine, everyVerdict('silent'))),
    },
    {
      id: 'one verdict flipped from wrong to passed, signed anew',
      code: 'wrong-transcript',
      lines: () => {
        const index = at(says('wrong'));
        const change = (record: AuditRecord): AuditRecord => ({
          ...record,
          items: record.items.map((item) => ({ ...item, verdict: 'passed' })),
        });
        return replaced(index, resign(honest[index] as ExportLine, change));
      },
    },
    {
      id: 'missing turned into passed: there is no body',
      code: 'wrong-verdict',
      lines: () => {
        const index = at(says('missing'));
        const change = (record: AuditRecord): AuditRecord => ({
          ...record,
          items: record.items.map((item) => ({ ...item, verdict: 'passed' })),
        });
        return replaced(index, resign(honest[index] as ExportLine, change));
      },
    },
    {
      id: 'a failure invented without the miner’s signature',
      code: 'wrong-verdict',
      lines: () => replaced(passedAt(), resign(honest[passedAt()] as ExportLine, everyVerdict('missing'))),
    },
    {
      id: 'a pass invented without the miner’s signature',
      code: 'wrong-verdict',
      lines: () => {
        const index = at(says('silent'));
        return replaced(index, resign(honest[index] as ExportLine, everyVerdict('passed')));
      },
    },
    {
      id: 'an answer signature of another round',
      code: 'wrong-signature',
      lines: () => {
        const other = recordIn(honest[at((record) => says('missing')(record))] as ExportLine) as AuditRecord;
        const { answerSignature } = other;
        return replaced(
          passedAt(),
          resign(honest[passedAt()] as ExportLine, (record) => ({ ...record, answerSignature })),
        );
      },
    },
    {
      id: 'K lowered',
      code: 'wrong-selection',
      lines: () => {
        const lowered = (record: AuditRecord) => {
          const items = record.request.items.slice(1);
          const leaves = items.reduce((sum, item) => sum + item.leaves, 0);
          return withTranscript({
            ...everyVerdict('silent')({
              ...record,
              items: record.items.slice(1),
              request: { ...record.request, items, leaves },
            }),
          });
        };
        return replaced(passedAt(), resign(honest[passedAt()] as ExportLine, lowered));
      },
    },
    {
      id: 'other shards asked than were drawn',
      code: 'wrong-selection',
      lines: () => {
        const moved = (record: AuditRecord) => {
          const [first, second, ...rest] = record.request.items as [never, never, ...never[]];
          const a = first as ChallengeRequest['items'][number];
          const b = second as ChallengeRequest['items'][number];
          const items = [{ ...a, leaves: a.leaves + 1 }, { ...b, leaves: b.leaves - 1 }, ...rest];
          const kept = items.filter(({ leaves }) => leaves > 0);
          return everyVerdict('silent')({
            ...record,
            items: record.items.slice(0, kept.length),
            request: { ...record.request, items: kept },
          });
        };
        return replaced(passedAt(), resign(honest[passedAt()] as ExportLine, moved));
      },
    },
    {
      id: 'the salt chosen after the commit',
      code: 'broken-commit',
      lines: () =>
        replaced(passedAt(), resign(honest[passedAt()] as ExportLine, renamed({ salt: new Uint8Array(32).fill(9) }))),
    },
    {
      id: 'another inventory than was committed to',
      code: 'broken-commit',
      lines: () =>
        replaced(
          passedAt(),
          resign(honest[passedAt()] as ExportLine, renamed({ inventory: new Uint8Array(32).fill(9) })),
        ),
    },
    {
      id: 'fewer leaves in the inventory',
      code: 'broken-commit',
      lines: () => replaced(passedAt(), resign(honest[passedAt()] as ExportLine, renamed({ inventoryLeaves: 60 }))),
    },
    {
      id: 'a block that is not the round’s',
      code: 'wrong-block',
      lines: () =>
        replaced(
          passedAt(),
          resign(honest[passedAt()] as ExportLine, (r) => renamed({ block: r.request.block + 1 })(r)),
        ),
    },
    {
      id: 'a round number that goes back',
      code: 'broken-link',
      lines: () => {
        const index = at(says('missing'));
        return replaced(index, resign(honest[index] as ExportLine, renamed({ round: 1, block: ROUND_BLOCKS })));
      },
    },
    {
      id: 'a record signed by another',
      code: 'bad-record',
      lines: () => {
        const forger = (world.miners[0] as WorldMiner).prover.signer;
        return replaced(
          passedAt(),
          resign(honest[passedAt()] as ExportLine, (record) => record, forger),
        );
      },
    },
    {
      id: 'a record with one bit changed',
      code: 'bad-record',
      lines: () => {
        const line = honest[passedAt()] as ExportLine & { kind: 'record' };
        return replaced(passedAt(), { ...line, signed: flip(line.signed, 300) });
      },
    },
    {
      id: 'a record of another miner',
      code: 'other-chain',
      lines: () => {
        const index = passedAt();
        const miner = (world.miners[1] as WorldMiner).hotkey as Hotkey;
        return replaced(index, resign(honest[index] as ExportLine, renamed({ miner })));
      },
    },
    {
      id: 'an answer with one bit changed',
      code: 'wrong-verdict',
      lines: () => {
        const line = honest[passedAt()] as ExportLine & { kind: 'record' };
        return replaced(passedAt(), { ...line, answer: flip(line.answer as Uint8Array, 500) });
      },
    },
    {
      id: 'a step of the inventory dropped',
      code: 'wrong-inventory',
      lines: () => without(honest.findLastIndex((line) => line.kind === 'change' && line.change.op === 'add')),
    },
    {
      id: 'a step of the inventory at another slot',
      code: 'bad-inventory',
      lines: () => {
        const index = honest.findIndex((line) => line.kind === 'change');
        const line = honest[index] as ExportLine & { kind: 'change' };
        return replaced(index, { ...line, change: { ...line.change, slot: line.change.slot + 1 } });
      },
    },
    {
      id: 'a shard of the inventory with another root',
      code: 'wrong-inventory',
      lines: () => {
        const index = honest.findIndex((line) => line.kind === 'change');
        const line = honest[index] as ExportLine & { kind: 'change' };
        return replaced(index, { ...line, change: { ...line.change, root: flip(line.change.root, 3) } });
      },
    },
    {
      id: 'a receipt with one bit changed',
      code: 'bad-receipt',
      lines: () => {
        const index = honest.findIndex((line) => line.kind === 'receipt');
        const line = honest[index] as ExportLine & { kind: 'receipt' };
        return replaced(index, { ...line, signed: flip(line.signed, 150) });
      },
    },
    {
      id: 'another validator in the head',
      code: 'bad-receipt',
      lines: () => {
        const head = honest[0] as ExportLine & { kind: 'head' };
        return replaced(0, { ...head, head: { ...head.head, validator: (world.miners[0] as WorldMiner).hotkey } });
      },
    },
    {
      id: 'another schedule in the head',
      code: 'wrong-block',
      lines: () => {
        const head = honest[0] as ExportLine & { kind: 'head' };
        return replaced(0, { ...head, head: { ...head.head, roundBlocks: ROUND_BLOCKS + 1 } });
      },
    },
    {
      id: 'another network in the head',
      code: 'bad-receipt',
      lines: () => {
        const head = honest[0] as ExportLine & { kind: 'head' };
        return replaced(0, { ...head, head: { ...head.head, netuid: 22 } });
      },
    },
  ];

  it.each(cases)('$id', async ({ code, lines }) => {
    const verified = await judge(lines());
    expect(verified.ok ? 'accepted' : verified.failure.code).toBe(code);
  });

  it('block hashes that the chain does not have', async () => {
    const verified = await judge(honest, { ...PORTS, blockHash: async () => new Uint8Array(32) });
    expect(verified.ok ? 'accepted' : verified.failure.code).toBe('wrong-block');
  });

  it('text that is no export', async () => {
    for (const text of ['hello', '{}', '[]', '{"miner":"5"}', '{"record":1}', 'null']) {
      expect((await verifyExport([text], PORTS)).ok).toBe(false);
    }
  });

  it('any single bit of any record', async () => {
    const records = honest.flatMap((line, i) => (line.kind === 'record' ? [{ line, i }] : []));
    for (let run = 0; run < 40; run++) {
      const { line, i } = records[run % records.length] as (typeof records)[number];
      const bit = Math.floor(Math.random() * line.signed.length);
      expect([bit, (await judge(replaced(i, { ...line, signed: flip(line.signed, bit) }))).ok]).toEqual([bit, false]);
    }
  });
});

it('lines survive writing and reading', () => {
  for (const line of honest) expect(parseLine(encodeLine(line))).toEqual(line);
});
