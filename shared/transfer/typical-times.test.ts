import { describe, expect, it } from 'vitest';
import { DEFAULT_PACE } from './pace.ts';
import { TypicalTimes } from './typical-times.ts';

const { hedgeMinMs: GRACE_MS, distantMs: DISTANT_MS } = DEFAULT_PACE;

function timesOf(expected: number, answers: readonly number[]): TypicalTimes {
  const times = new TypicalTimes(DEFAULT_PACE, expected);
  for (const ms of answers) times.note(ms);
  return times;
}

describe('the times of others', () => {
  it('say nothing before the first answer', () => {
    const times = timesOf(10, []);
    expect([times.lateAfterMs, times.lateAloneMs, times.lateAfterFor(50)]).toEqual([undefined, undefined, undefined]);
    expect(times.distantMs).toBe(DISTANT_MS);
  });

  it('that are alike leave half as much again, and the grace', () => {
    expect(timesOf(10, new Array(9).fill(200)).lateAfterMs).toBe(300 + GRACE_MS);
    expect(timesOf(10, new Array(9).fill(200)).lateAloneMs).toBe(200 + GRACE_MS);
  });

  it.each([5, 10, 20, 39])('that come one after the other make none late that follows (%d of 40)', (answered) => {
    const times = timesOf(
      40,
      Array.from({ length: answered }, (_, i) => 30 * (i + 1)),
    );
    expect(times.lateAfterMs).toBeGreaterThanOrEqual(40 * 30 + GRACE_MS);
  });

  it('are trusted less while fewer than half are in', () => {
    const [few, half] = [timesOf(10, new Array(4).fill(100)), timesOf(10, new Array(5).fill(100))];
    expect(few.lateAfterMs).toBe(3 * (250 + GRACE_MS));
    expect(half.lateAfterMs).toBe(200 + GRACE_MS);
  });

  it('count for less when this program itself was late', () => {
    const times = timesOf(10, new Array(9).fill(10));
    const beforeMs = times.lateAfterMs ?? 0;
    times.noteLag(-5);
    expect(times.lateAfterMs).toBe(beforeMs);
    times.noteLag(250);
    times.noteLag(40);
    expect(times.lateAfterMs).toBe(beforeMs + 250);
    expect(times.distantMs).toBe(DISTANT_MS + 250);
  });

  it.each([
    { id: 'one as quick as the others', seenMs: 10, lateMs: 15 + GRACE_MS },
    { id: 'one further away', seenMs: 160, lateMs: 240 },
    { id: 'one much further away', seenMs: 5000, lateMs: DISTANT_MS },
  ])('give $id its due', ({ seenMs, lateMs }) => {
    expect(timesOf(10, new Array(9).fill(10)).lateAfterFor(seenMs)).toBe(lateMs);
  });
});
