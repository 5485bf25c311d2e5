/**
 * The one node of the local chain: makes a block each time it is told to, finalizes a few blocks behind the head, takes
 * extrinsics, tells listeners. One writer: nothing else changes the state. The RPC server asks it; `main.ts` drives it.
 */
import type { VerifySr25519 } from '#shared/primitives/signer.ts';
import type { Rules } from '../runtime/context.ts';
import { executeBlock, validate } from '../runtime/executive.ts';
import { birthBlock, type Extrinsic, type Implicit, isSignatureValid, parseExtrinsic } from '../runtime/extrinsic.ts';
import { System, Timestamp } from '../runtime/items.ts';
import { SPEC_VERSION, TRANSACTION_VERSION } from '../runtime/runtime-version.ts';
import type { Invalidity } from '../runtime/validity.ts';
import type { Changes, StateView } from '../state/state-view.ts';
import { VersionedState } from '../state/versioned-state.ts';
import { type Block, sealBlock } from './block.ts';
import { BlockStore } from './block-store.ts';
import { MAX_AHEAD, Pool, type Watcher } from './pool.ts';

const MAX_EXTRINSICS_PER_BLOCK = 512;

export interface ChainOptions {
  readonly netuids: readonly number[];
  readonly rules: Rules;
  /** How many blocks behind the head are kept, with their state. */
  readonly history: number;
  /** How many blocks finality is behind the head. */
  readonly finalityLag: number;
  readonly verifySr25519: VerifySr25519;
}
export interface ChainListener {
  onHead(block: Block, changes: Changes): void;
  onFinalized(block: Block): void;
}
export type Submitted =
  | { readonly ok: true; readonly extrinsic: Extrinsic; readonly future: boolean }
  | { readonly ok: false; readonly failure: Invalidity };

export class Chain {
  readonly state: VersionedState;
  readonly blocks: BlockStore;
  readonly pool = new Pool();
  readonly options: ChainOptions;
  readonly #listeners = new Set<ChainListener>();
  /** Who waits for the finality of what a block contains, by its number. */
  readonly #awaiting = new Map<number, Set<Watcher>>();
  readonly #genesisHash: Uint8Array;
  #finalized: Block;
  #lastMs = 0;

  /** @param restored blocks from genesis or from a snapshot on, the first with the whole state as its changes */
  constructor(options: ChainOptions, genesis: Block, restored: readonly { block: Block; changes: Changes }[]) {
    this.options = options;
    this.state = new VersionedState(options.history);
    this.blocks = new BlockStore(options.history);
    this.blocks.append(genesis);
    this.#genesisHash = genesis.hash;
    restored.forEach(({ block, changes }, i) => {
      if (i === 0) this.state.start(block.header.number, changes);
      else this.state.apply(block.header.number, changes);
      this.blocks.append(block);
    });
    this.#finalized = this.#finalizedBy(this.head.header.number);
    this.#lastMs = Number(Timestamp.now.get(this.headState));
  }

  get head(): Block {
    return this.blocks.head;
  }
  get finalized(): Block {
    return this.#finalized;
  }
  get genesisHash(): Uint8Array {
    return this.#genesisHash;
  }
  get headState(): StateView {
    return this.state.at(this.state.head);
  }
  listen(listener: ChainListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  nonceOf(signer: Uint8Array): number {
    return System.account.get(this.headState, signer).nonce;
  }

  /** The next block, made but not yet part of the chain: the caller makes it durable and then adopts it. */
  build(nowMs: number): { readonly block: Block; readonly changes: Changes; adopt(): void } {
    const { head } = this;
    const time = Math.max(nowMs, this.#lastMs + 1);
    const body = executeBlock(
      { number: head.header.number, hash: head.hash, state: this.headState },
      {
        nowMs: time,
        rules: this.options.rules,
        netuids: this.options.netuids,
        extrinsics: this.pool.ready((signer) => this.nonceOf(signer), MAX_EXTRINSICS_PER_BLOCK),
      },
    );
    const block = sealBlock(head.header, head.hash, body.extrinsics, body.changes);
    const adopt = () => {
      this.#lastMs = time;
      this.state.apply(block.header.number, body.changes);
      this.blocks.append(block);
      for (const { extrinsic } of body.rejected) this.pool.remove(extrinsic, { kind: 'invalid' });
      this.#settle(block, body.included);
      this.pool.prune(block.header.number + 1, (signer) => this.nonceOf(signer));
      for (const listener of this.#listeners) listener.onHead(block, body.changes);
      this.#finalize();
    };
    return { block, changes: body.changes, adopt };
  }

  #settle(block: Block, included: readonly Extrinsic[]): void {
    const awaiting = new Set<Watcher>();
    for (const extrinsic of included) {
      for (const watcher of this.pool.remove(extrinsic, { kind: 'inBlock', blockHash: block.hash })) {
        awaiting.add(watcher);
      }
    }
    if (awaiting.size > 0) this.#awaiting.set(block.header.number, awaiting);
  }

  #finalizedBy(head: number): Block {
    return this.blocks.at(Math.max(0, head - this.options.finalityLag)) ?? this.blocks.head;
  }

  #finalize(): void {
    const next = this.#finalizedBy(this.head.header.number);
    if (next.header.number === this.#finalized.header.number) return;
    this.#finalized = next;
    for (const watcher of this.#awaiting.get(next.header.number) ?? []) {
      watcher({ kind: 'finalized', blockHash: next.hash });
    }
    this.#awaiting.delete(next.header.number);
    for (const listener of this.#listeners) listener.onFinalized(next);
  }

  /** Stops telling a watcher, wherever its extrinsic is by now. */
  unwatch(extrinsic: Extrinsic, watcher: Watcher): void {
    this.pool.unwatch(extrinsic, watcher);
    for (const watchers of this.#awaiting.values()) watchers.delete(watcher);
  }

  /** Checks an extrinsic as the next block would and puts it in the pool. */
  submit(bytes: Uint8Array, watcher?: Watcher): Submitted {
    const parsed = parseExtrinsic(bytes);
    if (!parsed.ok) return parsed;
    const extrinsic = parsed.value;
    const block = this.head.header.number + 1;
    const birth = extrinsic.era ? birthBlock(extrinsic.era, block) : 0;
    const birthHash = this.blocks.at(birth)?.hash;
    if (!birthHash) return refused({ code: 'invalid', reason: 'ancientBirthBlock' });
    if (!isSignatureValid(extrinsic, this.#implicit(birthHash), this.options.verifySr25519)) {
      return refused({ code: 'invalid', reason: 'badProof' });
    }
    const why = validate({ state: this.headState, block, rules: this.options.rules }, extrinsic);
    const future = why?.code === 'invalid' && why.reason === 'future';
    if (why && !future) return refused(why);
    if (extrinsic.nonce - this.nonceOf(extrinsic.signer) > MAX_AHEAD) {
      return refused({ code: 'pool', reason: 'full' });
    }
    const lastBlock = extrinsic.era ? birth + extrinsic.era.period - 1 : Number.MAX_SAFE_INTEGER;
    const full = this.pool.add(extrinsic, lastBlock, watcher);
    if (full) return refused(full);
    const ahead = this.pool.nextNonce(extrinsic.signer, this.nonceOf(extrinsic.signer)) <= extrinsic.nonce;
    return { ok: true, extrinsic, future: ahead };
  }

  #implicit(birthHash: Uint8Array): Implicit {
    return {
      specVersion: SPEC_VERSION,
      transactionVersion: TRANSACTION_VERSION,
      genesisHash: this.#genesisHash,
      birthHash,
    };
  }
}

const refused = (failure: Invalidity): Submitted => ({ ok: false, failure });
