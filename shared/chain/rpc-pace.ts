/**
 * How fast a node may be asked. Public Bittensor endpoints allow about one request a second and address, with room for
 * a start (connecting takes about a dozen requests); a node of one's own needs no limit.
 */
export interface RpcPace {
  /** Requests that may go at once after a rest. */
  readonly burst: number;
  readonly perSecond: number;
}

export const PUBLIC_PACE: RpcPace = { burst: 20, perSecond: 1 };
export const UNLIMITED_PACE: RpcPace = { burst: Number.POSITIVE_INFINITY, perSecond: Number.POSITIVE_INFINITY };

/** A bucket of permissions to send; time comes from outside. */
export class Allowance {
  readonly #pace: RpcPace;
  #tokens: number;
  #atMs: number;

  constructor(pace: RpcPace, nowMs: number) {
    this.#pace = pace;
    this.#tokens = pace.burst;
    this.#atMs = nowMs;
  }

  /** Takes one permission: 0 when it was there, else the milliseconds until there will be one. */
  take(nowMs: number): number {
    if (this.#pace.burst === Number.POSITIVE_INFINITY) return 0;
    const earned = (Math.max(0, nowMs - this.#atMs) / 1000) * this.#pace.perSecond;
    this.#tokens = Math.min(this.#pace.burst, this.#tokens + earned);
    this.#atMs = nowMs;
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return 0;
    }
    return Math.ceil(((1 - this.#tokens) / this.#pace.perSecond) * 1000);
  }

  /** The node complained: nothing for `ms`. */
  rest(nowMs: number, ms: number): void {
    this.#tokens = Math.min(this.#tokens, 1 - (ms / 1000) * this.#pace.perSecond);
    this.#atMs = nowMs;
  }
}
