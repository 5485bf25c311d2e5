/**
 * A miner's proofs without its disk and server: shards in memory, answers to challenge requests, and whatever a test or
 * a benchmark wants it to do wrong. What it answers goes through the real planner, trees and signatures.
 */
import type { Kernel } from '#shared/codec/kernel.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import { type Anchor, anchorIdOf, anchorOf, leafCount, levelsOf } from '#shared/proof/anchor.ts';
import { type AnswerItem, signAnswer } from '#shared/proof/challenge-answer.ts';
import { type ChallengeRequest, encodeRequest, parseRequest } from '#shared/proof/challenge-request.ts';
import { leafBytesAt, proveLeaves } from '#shared/proof/multiproof.ts';
import { sampleLeaves } from '#shared/proof/sample.ts';
import { contextOf, seedOf } from '#shared/proof/seed.ts';
import { type Network, SIGNATURE_BYTES } from '#shared/proof/statement.ts';

export interface ProvenShard {
  readonly anchor: Anchor;
  readonly shard: Uint8Array;
  readonly levels: readonly Uint8Array[];
}

/** Changes one item of an answer; what it is given is the honest one. */
export type Cheat = (
  honest: AnswerItem,
  item: { readonly anchorId: AnchorId; readonly held: ProvenShard; readonly indices: readonly number[] },
) => AnswerItem;

export class Prover {
  readonly signer: Signer;
  readonly shards = new Map<AnchorId, ProvenShard>();
  readonly #network: Network;
  readonly #kernel: Kernel;
  cheat: Cheat | undefined;

  constructor(signer: Signer, network: Network, kernel: Kernel) {
    this.signer = signer;
    this.#network = network;
    this.#kernel = kernel;
  }

  store(shard: Uint8Array): { readonly anchorId: AnchorId; readonly anchor: Anchor } {
    const anchor = anchorOf(this.#kernel, shard);
    const anchorId = anchorIdOf(anchor);
    this.shards.set(anchorId, { anchor, shard, levels: levelsOf(this.#kernel, this.#kernel.hashLeaves(shard)) });
    return { anchorId, anchor };
  }

  prove({ shard, levels }: ProvenShard, indices: readonly number[]): Uint8Array {
    return proveLeaves(shard.length, levels, indices, (index) =>
      shard.subarray(index * 1024, index * 1024 + leafBytesAt(shard.length, index)),
    );
  }

  /** @param signed request statement ‖ signature */
  answer(signed: Uint8Array): Uint8Array {
    const statement = signed.subarray(0, signed.length - SIGNATURE_BYTES);
    const parsed = parseRequest(this.#network, statement);
    if (!parsed.ok) throw new Error(parsed.failure.message);
    return this.answerRequest(parsed.value);
  }

  answerRequest(request: ChallengeRequest): Uint8Array {
    const context = contextOf(request);
    const items = request.items.map(({ anchorId, leaves }): AnswerItem => {
      const held = this.shards.get(anchorId);
      if (!held) return undefined;
      const seed = seedOf(this.#network, request, anchorId, context);
      const indices = sampleLeaves(seed, leafCount(held.anchor.bytes), leaves);
      const honest = this.prove(held, indices);
      return this.cheat ? this.cheat(honest, { anchorId, held, indices }) : honest;
    });
    return signAnswer(this.signer, encodeRequest(this.#network, request), items);
  }
}
