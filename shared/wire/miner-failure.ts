/**
 * The one map from what a miner did to what callers of the client see (`MinerFailureCode`), and whose fault it is:
 * `peer` may cost the miner something, `us` never does (design: only a peer's fault costs a peer anything).
 */
import type { Fault } from '#shared/primitives/failure.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { ExchangeEnd } from './exchange.ts';
import type { MinerFailure, MinerFailureCode } from './ports.ts';
import { isProblemCode, type PeerProblem, PROBLEMS } from './problem.ts';

const FAULTS: Readonly<Record<MinerFailureCode, Fault>> = {
  unreachable: 'peer',
  /** It says so honestly; that we asked it is our placement's doing. */
  full: 'us',
  /** Our signature, grant or request. */
  refused: 'us',
  absent: 'peer',
  dropped: 'peer',
  broken: 'peer',
  forged: 'peer',
  busy: 'peer',
  cancelled: 'us',
};

export function minerFailure(miner: Hotkey, code: MinerFailureCode, message: string, problem?: string): MinerFailure {
  const base = { code, fault: FAULTS[code], miner, message };
  return problem === undefined ? base : { ...base, problem };
}

const ENDS: Readonly<Record<ExchangeEnd, readonly [MinerFailureCode, string]>> = {
  cancelled: ['cancelled', 'the request was cancelled'],
  silent: ['unreachable', 'the miner stayed silent for too long'],
  overdue: ['unreachable', 'the miner took too long in all'],
  closed: ['unreachable', 'the connection was closed'],
};

/** A fetch or a read that failed: our own abort if there was one, else the connection. */
export function connectionFailure(miner: Hotkey, ended: ExchangeEnd | undefined, error?: unknown): MinerFailure {
  if (ended) return minerFailure(miner, ...ENDS[ended]);
  return minerFailure(miner, 'unreachable', error === undefined ? 'the connection broke' : describe(error));
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'no connection';
  const cause = (error as { code?: unknown }).code ?? (error.cause as { code?: unknown } | undefined)?.code;
  return typeof cause === 'string' ? `no connection: ${cause}` : `no connection: ${error.message}`.slice(0, 200);
}

/** By status, since a problem's code may be one that this version does not know. */
function codeOfStatus(status: number): MinerFailureCode {
  if (status === 507) return 'full';
  if (status === 429 || status === 503) return 'busy';
  if (status === 410) return 'dropped';
  return status >= 400 && status < 500 ? 'refused' : 'broken';
}

/** The failure for an answer that is not 2xx. */
export function statusFailure(miner: Hotkey, status: number, problem: PeerProblem | undefined): MinerFailure {
  if (!problem) return minerFailure(miner, codeOfStatus(status), `the miner answered ${status} without a problem`);
  // A 404 only says that the shard is missing when it says exactly that; an unknown route is something else.
  const absent = status === 404 && (problem.code === 'absent' || problem.code === 'not-found');
  const code = absent ? 'absent' : codeOfStatus(status);
  return minerFailure(miner, code, problem.detail ?? `the miner answered ${problem.code}`, problem.code);
}

/** The failure for a problem inside a 200: a reply frame or a read item. An unknown code says only "no". */
export function problemFailure(miner: Hotkey, problem: PeerProblem | undefined): MinerFailure {
  if (!problem) return minerFailure(miner, 'broken', 'the miner sent a problem that is none');
  return statusFailure(miner, isProblemCode(problem.code) ? PROBLEMS[problem.code].status : 400, problem);
}
