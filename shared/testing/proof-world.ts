/**
 * One miner, an inventory of shards of every size, and rounds drawn from it as a validator draws them: what the
 * adversaries of por/v1 and the benchmarks of audits are run in. Random by a seed, so that a run can be repeated.
 */
import type { Kernel } from '#shared/codec/kernel.ts';
import { type AnchorId, hotkeyOf } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import type { Sr25519 } from '#shared/primitives/signer.ts';
import type { Anchor } from '#shared/proof/anchor.ts';
import type { ChallengeRequest } from '#shared/proof/challenge-request.ts';
import { Inventory } from '#shared/proof/inventory.ts';
import { selectShards } from '#shared/proof/sample.ts';
import { contextOf, roundLeaves } from '#shared/proof/seed.ts';
import type { Network } from '#shared/proof/statement.ts';
import { type Judgement, type Judging, planRound, type RoundPlan, verifyAnswer } from '#shared/proof/verify-answer.ts';
import { Prover } from './prover.ts';

export interface WorldPorts {
  readonly kernel: Kernel;
  readonly sr25519: Sr25519;
  /** Everything random comes from it. */
  readonly seed: number;
}

export class ProofWorld {
  readonly network: Network = { genesis: new Uint8Array(32).fill(5), netuid: 21 };
  readonly kernel: Kernel;
  readonly sr25519: Sr25519;
  /** As the validator judges. */
  readonly fast: Judging['fast'] & object;
  readonly prover: Prover;
  readonly inventory = new Inventory();
  readonly anchors = new Map<AnchorId, Anchor>();
  readonly validator = hotkeyOf(new Uint8Array(32).fill(9));
  #random: number;
  round = 0;

  constructor({ kernel, sr25519, seed }: WorldPorts, shardBytes: readonly number[]) {
    this.kernel = kernel;
    this.sr25519 = sr25519;
    this.#random = seed;
    this.fast = { rows: kernel, sha256 };
    this.prover = new Prover(sr25519.signerFromSeed(new Uint8Array(32).fill(3)), this.network, kernel);
    for (const bytes of shardBytes) this.own(this.bytes(bytes));
  }

  /** The miner holds this shard, and owes it. */
  own(shard: Uint8Array): AnchorId {
    const { anchorId, anchor } = this.prover.store(shard);
    this.inventory.add({ anchorId, bytes: shard.length });
    this.anchors.set(anchorId, anchor);
    return anchorId;
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at += 32) {
      const piece = sha256(new TextEncoder().encode(`random ${this.#random++}`));
      bytes.set(piece.subarray(0, Math.min(32, count - at)), at);
    }
    return bytes;
  }

  /** Uniform in [0, 1). */
  chance(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.bytes(4);
    return ((a * 256 + b) * 256 + c + d / 256) / 2 ** 24;
  }

  async nextRound(changes: Partial<ChallengeRequest> = {}): Promise<RoundPlan> {
    const round = ++this.round;
    const head = {
      validator: this.validator,
      miner: this.prover.signer.hotkey,
      round,
      block: 25 * round,
      blockHash: this.bytes(32),
      prevTranscript: this.bytes(32),
      inventory: this.inventory.hash,
      inventoryLeaves: this.inventory.leaves,
      salt: this.bytes(32),
      nextCommit: this.bytes(32),
      leaves: roundLeaves(this.inventory.leaves),
      sweep: false,
      ...changes,
    };
    const items = await selectShards(contextOf(head), this.inventory, head.leaves);
    const plan = planRound(this.network, { ...head, items }, this.anchors);
    if (!plan.ok) throw new Error(plan.failure.message);
    return plan.value;
  }

  judge(plan: RoundPlan, answer: Uint8Array): Judgement {
    return verifyAnswer(this.sr25519.verify, plan, answer, { fast: this.fast });
  }
}
