/**
 * `registerAndServe` until it is done: what time cures (a rate limit, a transaction that came too late for its block) is
 * tried again, everything else is for an operator. Called by the processes that announce miners.
 */
import type { Clock } from '#shared/primitives/effects.ts';
import type { Result } from '#shared/primitives/failure.ts';
import type { ChainFailure, ChainFailureCode } from './chain-failure.ts';
import { registerAndServe, type ServeRequest, type Serving } from './register-and-serve.ts';

const ATTEMPTS = 12;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;

const CURED_BY_TIME: ReadonlySet<ChainFailureCode> = new Set([
  'unreachable',
  'stale',
  'not-included',
  'serving-too-fast',
  'registrations-too-fast',
]);

export async function announcePatiently(
  chain: Parameters<typeof registerAndServe>[0],
  request: ServeRequest,
  clock: Clock,
): Promise<Result<Serving, ChainFailure>> {
  for (let attempt = 1, pauseMs = FIRST_PAUSE_MS; ; attempt++, pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const done = await registerAndServe(chain, request);
    if (done.ok || attempt === ATTEMPTS || !CURED_BY_TIME.has(done.failure.code)) return done;
    await clock.sleep(pauseMs);
  }
}
