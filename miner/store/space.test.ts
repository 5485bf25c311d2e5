import { describe, expect, it } from 'vitest';
import { Space } from './space.ts';

const spaceOf = (changes: {
  free?: () => number;
  capacityBytes?: number;
  freeFloorBytes?: number;
  nowMs?: () => number;
}) => {
  const { capacityBytes = 1000, freeFloorBytes = 0, free = () => 1e9, nowMs = () => 0 } = changes;
  const space = new Space({ capacityBytes, freeFloorBytes }, free, nowMs);
  space.addTenant(1, 600, 0, 0);
  space.addTenant(2, 600, 0, 0);
  return space;
};
const codeOf = (outcome: ReturnType<Space['reserve']>) => (outcome.ok ? 'reserved' : outcome.failure.code);

describe('Space', () => {
  it('promises no more than the capacity, over all tenants', () => {
    const space = spaceOf({});
    expect(codeOf(space.reserve(1, 600))).toBe('reserved');
    expect(codeOf(space.reserve(2, 401))).toBe('full');
    expect(codeOf(space.reserve(2, 400))).toBe('reserved');
    expect(space.freeBytes()).toBe(0);
  });

  it('promises no tenant more than its quota', () => {
    const space = spaceOf({});
    expect(codeOf(space.reserve(1, 601))).toBe('tenant-quota');
    const first = space.reserve(1, 500);
    if (first.ok) first.value.use(200);
    expect(codeOf(space.reserve(1, 101))).toBe('tenant-quota');
    if (first.ok) first.value.release();
    expect(codeOf(space.reserve(1, 400))).toBe('reserved');
  });

  it('keeps the floor of the disk free, counting what was promised and stored since the last look', () => {
    let disk = 500;
    let now = 0;
    const space = spaceOf({ free: () => disk, freeFloorBytes: 100, nowMs: () => now });
    const first = space.reserve(1, 300);
    expect(codeOf(first)).toBe('reserved');
    expect(codeOf(space.reserve(2, 101))).toBe('disk-floor');
    if (first.ok) first.value.use(300);
    // Stored, and the disk not looked at again yet.
    expect(codeOf(space.reserve(2, 101))).toBe('disk-floor');
    disk = 200;
    now = 1000;
    expect(codeOf(space.reserve(2, 101))).toBe('disk-floor');
    expect(codeOf(space.reserve(2, 100))).toBe('reserved');
  });

  it('gives back what was not used, once', () => {
    const space = spaceOf({});
    const outcome = space.reserve(1, 500);
    if (!outcome.ok) throw new Error('not reserved');
    outcome.value.use(100);
    outcome.value.release();
    outcome.value.release();
    expect(space.freeBytes()).toBe(900);
    expect(space.usedBytes(1)).toBe(100);
    expect(space.shards).toBe(1);
    space.free(1, 100);
    expect(space.freeBytes()).toBe(1000);
    expect(space.shards).toBe(0);
  });

  it('refuses to use more than was reserved: that is our own mistake', () => {
    const outcome = spaceOf({}).reserve(1, 10);
    if (!outcome.ok) throw new Error('not reserved');
    expect(() => outcome.value.use(11)).toThrow(/invariant/);
  });
});
