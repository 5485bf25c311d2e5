/**
 * What is learnt of a shard from its bytes alone, as they come in: its name, and what proofs of it are made from. Of
 * anchor type 1 that is the upper part of its tree (por/v1 §10), which can be made anew from the file. Of type 2 the
 * first 32 bytes are the blind key; key and commitments are kept, for nothing else on this disk leads to them (zk/v1).
 * Fed by `incoming-shard.ts`, kept by the committer, used by `provable-shard.ts`.
 */
import type { Kernel } from '#shared/codec/kernel.ts';
import { concatBytes } from '#shared/primitives/bytes.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import { AnchorHasher, anchorIdOf } from '#shared/proof/anchor.ts';
import { type AnchorType, POR_ANCHOR_TYPE } from '#shared/proof/any-anchor.ts';
import { BLIND_KEY_BYTES, ZK_ANCHOR_TYPE, ZkAnchorHasher, zkAnchorIdOf } from '#shared/proof/zk/zk-anchor.ts';
import type { ZkKernel } from '#shared/proof/zk/zk-kernel.ts';

/** Type 1: nodes of the 16-leaf groups. Type 2: blindKey₃₂ ‖ commitments. */
export interface ProofMaterial {
  readonly type: AnchorType;
  readonly bytes: Uint8Array;
}

export interface HashPorts {
  readonly kernel: Kernel;
  /** Made when first asked for: most miners hold no shard of type 2, and its tables take 18 MiB. */
  readonly zkKernel: () => ZkKernel;
}

export interface ArrivingBytes {
  /** Which of the next bytes are the shard's own; what stands before it is taken here. */
  own(chunk: Uint8Array): Uint8Array;
  /** The shard's own next bytes. */
  update(own: Uint8Array): void;
  finish(): { readonly anchorId: AnchorId; readonly material: ProofMaterial };
}

export const arrivingBytes = (ports: HashPorts, type: AnchorType): ArrivingBytes =>
  type === ZK_ANCHOR_TYPE ? new CommittedBytes(ports) : new HashedBytes(ports.kernel);

class HashedBytes implements ArrivingBytes {
  readonly #hasher: AnchorHasher;

  constructor(kernel: Kernel) {
    this.#hasher = new AnchorHasher(kernel);
  }

  own(chunk: Uint8Array): Uint8Array {
    return chunk;
  }

  update(own: Uint8Array): void {
    this.#hasher.update(own);
  }

  finish() {
    const anchor = this.#hasher.finish();
    return { anchorId: anchorIdOf(anchor), material: { type: POR_ANCHOR_TYPE, bytes: anchor.groups } };
  }
}

class CommittedBytes implements ArrivingBytes {
  readonly #ports: HashPorts;
  readonly #blindKey = new Uint8Array(BLIND_KEY_BYTES);
  #keyBytes = 0;
  #hasher: ZkAnchorHasher | undefined;

  constructor(ports: HashPorts) {
    this.#ports = ports;
  }

  own(chunk: Uint8Array): Uint8Array {
    const key = chunk.subarray(0, BLIND_KEY_BYTES - this.#keyBytes);
    this.#blindKey.set(key, this.#keyBytes);
    this.#keyBytes += key.length;
    return chunk.subarray(key.length);
  }

  update(own: Uint8Array): void {
    this.#opened().update(own);
  }

  #opened(): ZkAnchorHasher {
    const { kernel, zkKernel } = this.#ports;
    this.#hasher ??= new ZkAnchorHasher({ zk: zkKernel(), hash: kernel }, this.#blindKey);
    return this.#hasher;
  }

  finish() {
    const { anchor, commitments } = this.#opened().finish();
    const bytes = concatBytes(this.#blindKey, commitments);
    return { anchorId: zkAnchorIdOf(anchor), material: { type: ZK_ANCHOR_TYPE, bytes } };
  }
}
