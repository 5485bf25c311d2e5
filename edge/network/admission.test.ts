import { expect, test } from 'vitest';
import type { Clock } from '#shared/primitives/effects.ts';
import {
  ADMISSION_WAIT_MS,
  Admission,
  CLAIM_LAPSES_MS,
  ISOLATE_TRANSFER_BYTES,
  LEAST_TRANSFER_BYTES,
} from './admission.ts';

/** Time passes only by sleeping, at once. */
class SteppedClock implements Clock {
  now = 0;
  onSleep: (() => void) | undefined;
  nowMs(): number {
    return this.now;
  }
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.now += ms;
    this.onSleep?.();
  }
}

const never = new AbortController().signal;

test('gives no more than the isolate has, and gives again what was released', async () => {
  const admission = new Admission(100);
  const clock = new SteppedClock();
  const first = await admission.claim(60, clock, never);
  expect(await admission.claim(60, clock, never)).toBeUndefined();
  expect(clock.now).toBeGreaterThanOrEqual(ADMISSION_WAIT_MS);
  expect((await admission.claim(40, clock, never))?.release).toBeTypeOf('function');
  clock.onSleep = () => first?.release();
  expect(await admission.claim(60, clock, never)).toBeDefined();
  expect(admission.claimedBytes).toBe(100);
});

test('a release counts once', async () => {
  const admission = new Admission(100);
  const claim = await admission.claim(60, new SteppedClock(), never);
  claim?.release();
  claim?.release();
  expect(admission.claimedBytes).toBe(0);
});

test('a claim that nobody renews lapses, one that is renewed does not', async () => {
  const admission = new Admission(100);
  const clock = new SteppedClock();
  await admission.claim(50, clock, never);
  const alive = await admission.claim(50, clock, never);
  clock.now += CLAIM_LAPSES_MS;
  alive?.renew();
  clock.now += 1;
  expect(await admission.claim(50, clock, never)).toBeDefined();
  expect(await admission.claim(50, clock, never)).toBeUndefined();
});

test('whoever leaves while waiting has claimed nothing', async () => {
  const admission = new Admission(100);
  const clock = new SteppedClock();
  await admission.claim(100, clock, never);
  const gone = new AbortController();
  clock.onSleep = () => gone.abort(new Error('gone'));
  await expect(admission.claim(10, clock, gone.signal)).rejects.toThrow('gone');
  expect(admission.claimedBytes).toBe(100);
});

test('more than there ever is throws', async () => {
  await expect(new Admission(100).claim(101, new SteppedClock(), never)).rejects.toThrow(RangeError);
});

test('gives a transfer all it wishes for while there is plenty, and what it needs when there is not', async () => {
  const admission = new Admission();
  const clock = new SteppedClock();
  const wished = ISOLATE_TRANSFER_BYTES / 3;
  const granted: number[] = [];
  for (
    let claim = await admission.claim(wished, clock, never);
    claim;
    claim = await admission.claim(wished, clock, never)
  ) {
    granted.push(claim.bytes);
  }
  expect(granted).toEqual([
    wished,
    LEAST_TRANSFER_BYTES,
    LEAST_TRANSFER_BYTES,
    LEAST_TRANSFER_BYTES,
    LEAST_TRANSFER_BYTES,
  ]);
});
