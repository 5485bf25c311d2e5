/**
 * Shares one isolate's memory among the requests that run in it. A transfer takes all the memory it may ever use
 * before it starts: were it to take more as it goes, a few of them could each hold a part and wait for ever for the
 * rest. Waiting is by asking again on the request's own timer, because one request may not wake another in a Worker;
 * a request that was killed cannot give back, so a claim that nobody renewed lapses.
 */
import type { Clock } from '#shared/primitives/effects.ts';

/** A Worker isolate has 128 MB (documented); what is left over is code, kernel and the runtime's own buffers. */
export const ISOLATE_TRANSFER_BYTES = 72 * 1024 * 1024;
/** How long a request waits for memory before it is told to come back. */
export const ADMISSION_WAIT_MS = 10_000;
/** A claim not renewed for so long belonged to a request that was killed. Segments renew it. */
export const CLAIM_LAPSES_MS = 300_000;
const ASK_AGAIN_MS = 25;

export interface Claim {
  /** Says that the transfer still moves. */
  renew(): void;
  release(): void;
}

interface OpenClaim {
  readonly bytes: number;
  renewedAtMs: number;
}

export class Admission {
  readonly #limitBytes: number;
  readonly #claims = new Set<OpenClaim>();

  constructor(limitBytes = ISOLATE_TRANSFER_BYTES) {
    this.#limitBytes = limitBytes;
  }

  get claimedBytes(): number {
    let total = 0;
    for (const claim of this.#claims) total += claim.bytes;
    return total;
  }

  #tryClaim(bytes: number, clock: Clock): Claim | undefined {
    const nowMs = clock.nowMs();
    for (const claim of this.#claims) {
      if (nowMs - claim.renewedAtMs > CLAIM_LAPSES_MS) this.#claims.delete(claim);
    }
    if (this.claimedBytes + bytes > this.#limitBytes) return undefined;
    const claim: OpenClaim = { bytes, renewedAtMs: nowMs };
    this.#claims.add(claim);
    return {
      renew: () => {
        claim.renewedAtMs = clock.nowMs();
      },
      release: () => {
        this.#claims.delete(claim);
      },
    };
  }

  /** Waits up to ADMISSION_WAIT_MS for `bytes`; undefined when there was no room. Rejects when the signal fires. */
  async claim(bytes: number, clock: Clock, signal: AbortSignal): Promise<Claim | undefined> {
    if (bytes > this.#limitBytes) throw new RangeError(`${bytes} bytes can never be claimed`);
    const deadlineMs = clock.nowMs() + ADMISSION_WAIT_MS;
    for (;;) {
      const claim = this.#tryClaim(bytes, clock);
      if (claim) return claim;
      if (clock.nowMs() >= deadlineMs) return undefined;
      await clock.sleep(ASK_AGAIN_MS, signal);
    }
  }
}
