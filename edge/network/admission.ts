/**
 * Shares one isolate's memory among the requests that run in it. A transfer takes all the memory it may ever use
 * before it starts: were it to take more as it goes, a few of them could each hold a part and wait for ever for the
 * rest. Waiting is by asking again on the request's own timer, because one request may not wake another in a Worker;
 * a request that was killed cannot give back, so a claim that nobody renewed lapses.
 */
import type { Clock } from '#shared/primitives/effects.ts';

/** A Worker isolate has 128 MB (documented); what is left over is code, kernel and the runtime's own buffers. */
export const ISOLATE_TRANSFER_BYTES = 72 * 1024 * 1024;
/**
 * The most that the engines need for one segment at once: 4 MiB of it, and its shards on their way (12 MiB at k = 1).
 * A transfer with only this takes one segment after the other.
 */
export const LEAST_TRANSFER_BYTES = 12 * 1024 * 1024;
/** How long a request waits for memory before it is told to come back. */
export const ADMISSION_WAIT_MS = 20_000;
/** A claim not renewed for so long belonged to a request that was killed. Segments renew it. */
export const CLAIM_LAPSES_MS = 300_000;
const ASK_AGAIN_MS = 25;

export interface Claim {
  /** What was granted: all that was wished for, or at least LEAST_TRANSFER_BYTES of it. */
  readonly bytes: number;
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

  #tryClaim(wishedBytes: number, clock: Clock): Claim | undefined {
    const nowMs = clock.nowMs();
    for (const claim of this.#claims) {
      if (nowMs - claim.renewedAtMs > CLAIM_LAPSES_MS) this.#claims.delete(claim);
    }
    const freeBytes = this.#limitBytes - this.claimedBytes;
    // Once half of the memory is taken, many slow transfers are better than a few quick ones and a queue.
    const plenty = freeBytes - wishedBytes >= this.#limitBytes / 2;
    const bytes = plenty ? wishedBytes : Math.min(wishedBytes, LEAST_TRANSFER_BYTES);
    if (bytes > freeBytes) return undefined;
    const claim: OpenClaim = { bytes, renewedAtMs: nowMs };
    this.#claims.add(claim);
    return {
      bytes,
      renew: () => {
        claim.renewedAtMs = clock.nowMs();
      },
      release: () => {
        this.#claims.delete(claim);
      },
    };
  }

  /** Waits up to ADMISSION_WAIT_MS for memory; undefined when there was no room. Rejects when the signal fires. */
  async claim(wishedBytes: number, clock: Clock, signal: AbortSignal): Promise<Claim | undefined> {
    if (wishedBytes > this.#limitBytes) throw new RangeError(`${wishedBytes} bytes can never be claimed`);
    const deadlineMs = clock.nowMs() + ADMISSION_WAIT_MS;
    for (;;) {
      const claim = this.#tryClaim(wishedBytes, clock);
      if (claim) return claim;
      if (clock.nowMs() >= deadlineMs) return undefined;
      await clock.sleep(ASK_AGAIN_MS, signal);
    }
  }
}
