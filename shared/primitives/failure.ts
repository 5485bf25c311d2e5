/**
 * Expected failures are values. Every failure carries a stable `code` and whose `fault` it is: only a peer's fault
 * may cost a peer anything, only a caller's fault is told to the caller in detail. Broken invariants throw.
 */
export type Fault = 'caller' | 'peer' | 'us';

/** What every failure has; a module's own union adds the fields of each code. */
export interface Failure {
  readonly code: string;
  readonly fault: Fault;
  /** One sentence for a person: what is wrong and, where it can be known, what to do. Never a secret. */
  readonly message: string;
}

export type Result<T, F extends Failure = Failure> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: F };

export const succeed = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value });
export const fail = <F extends Failure>(failure: F): { readonly ok: false; readonly failure: F } => ({
  ok: false,
  failure,
});

/** A state that our own code should have made impossible. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}
