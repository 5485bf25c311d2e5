import { describe, expect, it } from 'vitest';
import { toHex } from '#shared/primitives/bytes.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { type AnchorId, type FileNumber, hotkeyOf, type MinerNumber } from '#shared/primitives/ids.ts';
import { openMemoryDatabase } from './database.ts';
import { createRepairs, REPAIRS_SCHEMA } from './repairs.ts';

const hotkey = hotkeyOf(new Uint8Array(32).fill(1));
const at = (file: number, segment = 0) => ({ file: file as FileNumber, segment });

function openRepairs() {
  const clock = { ms: 1000 };
  const repairs = createRepairs(openMemoryDatabase([REPAIRS_SCHEMA]), () => clock.ms);
  const due = (limit = 10) => repairs.due(clock.ms, limit).map(({ file }) => file);
  return { repairs, clock, due };
}
const placing = (placement: number, file = 1) => ({
  ...at(file),
  ...{ shardIndex: 3, placement, miner: 7 as MinerNumber, hotkey, anchorId: toHex(systemRandom(32)) as AnchorId },
});

describe('the repair queue', () => {
  it('gives what has the fewest healthy shards first, however long the others wait', () => {
    const { repairs, clock, due } = openRepairs();
    repairs.enqueue(at(1), 5, 0, 'reported');
    clock.ms++;
    repairs.enqueue(at(2), 0, 0, 'reported');
    repairs.enqueue(at(3), 2, 0, 'reported');
    expect(due()).toEqual([2, 3, 1]);
    expect(due(1)).toEqual([2]);
  });

  it('counts a delay from the first report, however often it is reported again', () => {
    const { repairs, clock, due } = openRepairs();
    for (let i = 0; i < 5; i++, clock.ms += 20) repairs.enqueue(at(1), 5, 90, 'reported');
    expect(due()).toEqual([1]);
  });

  it('gives at once what has become urgent', () => {
    const { repairs, clock, due } = openRepairs();
    repairs.enqueue(at(1), 5, 1000, 'reported');
    clock.ms += 10;
    expect(due()).toEqual([]);
    repairs.enqueue(at(1), 2, 0, 'reported');
    expect(due()).toEqual([1]);
  });

  it('keeps the pause of what failed, unless it has become worse; the others go on', () => {
    const { repairs, clock, due } = openRepairs();
    repairs.enqueue(at(1), 1, 0, 'reported');
    repairs.enqueue(at(2), 3, 0, 'reported');
    repairs.postpone(at(1), 1, clock.ms + 500, 'too-few-miners');
    repairs.enqueue(at(1), 1, 0, 'reported');
    expect(due()).toEqual([2]);
    expect(repairs.counts()).toMatchObject({ segments: 2, byReason: { 'too-few-miners': 1, reported: 1 } });
    repairs.enqueue(at(1), 0, 0, 'reported');
    expect(due()).toEqual([1, 2]);
  });

  it('says how many segments have lost too much', () => {
    const { repairs } = openRepairs();
    repairs.enqueue(at(1), -1, 0, 'reported');
    repairs.enqueue(at(2), 0, 0, 'reported');
    expect(repairs.counts()).toMatchObject({ segments: 2, beyondRepair: 1 });
  });

  it('remembers which placing of a shard was lost, and forgets it with the segment', () => {
    const { repairs, due } = openRepairs();
    const loss = { ...at(1), shardIndex: 4, reason: 'declared-missing', evidence: 'round:5' };
    repairs.report({ ...loss, placement: 0 });
    repairs.report({ ...loss, placement: 2 });
    expect([...repairs.lossesOf(at(1))]).toEqual([[4, 2]]);
    expect(due()).toEqual([1]);
    repairs.forget(at(1));
    expect(repairs.lossesOf(at(1)).size).toBe(0);
    expect(due()).toEqual([]);
  });
});

describe('placings', () => {
  it('never give a number twice, and are open until they are settled', () => {
    const { repairs } = openRepairs();
    expect(repairs.lastPlacement(at(1), 3)).toBe(-1);
    const [first, second] = [placing(1), placing(2)];
    repairs.begin(first);
    repairs.begin(second);
    expect(repairs.open(10)).toEqual([first, second]);
    repairs.settle(first);
    expect(repairs.open(10)).toEqual([second]);
    repairs.settle(second);
    expect(repairs.open(10)).toEqual([]);
    expect(repairs.lastPlacement(at(1), 3)).toBe(2);
    expect(repairs.lastPlacement(at(1), 4)).toBe(-1);
  });
});
