/**
 * What all signed statements share (por/v1 §9, `docs/protocol.md` §7): the tag, the network G that they are bound to,
 * the reader that refuses, and signing itself. Every statement starts with its own tag, so that no signature over one
 * can be read as another; a bare 32-byte message is never signed, because it could be the hash of anything.
 * Each statement's file has an `encode…` and a `parse…`; whoever parses compares the fields with what it expects.
 */
import { ByteReader, ByteWriter, concatBytes, equalBytes, toHex } from '#shared/primitives/bytes.ts';
import { type Failure, fail, invariant, type Result, succeed } from '#shared/primitives/failure.ts';
import { type AnchorId, type Hotkey, hotkeyOf, idBytes, type OrderId, publicKeyOf } from '#shared/primitives/ids.ts';
import type { Signer, VerifySr25519 } from '#shared/primitives/signer.ts';

/** G: the chain and subnet that a statement belongs to. A statement of another network is refused. */
export interface Network {
  /** Hash of the chain's block 0, 32 bytes. */
  readonly genesis: Uint8Array;
  readonly netuid: number;
}

export type StatementName = 'grant' | 'hello' | 'store' | 'order' | 'drop' | 'request' | 'answer' | 'record';

/** Why a statement was refused; the first reason found. */
export type StatementRefusal =
  | 'tag' /** another statement, or none */
  | 'network' /** another genesis or netuid */
  | 'length' /** too short, or bytes left over */
  | 'range' /** an enum or a number outside its range */
  | 'items' /** repeated, unsorted or too many items */
  | 'signature'; /** shorter than a signature, or the signature does not hold */

export interface StatementFailure extends Failure {
  readonly code: 'bad-statement';
  readonly statement: StatementName;
  readonly reason: StatementRefusal;
}

export type Parsed<T> = Result<T, StatementFailure>;

export const SIGNATURE_BYTES = 64;

const EXPLANATIONS: Readonly<Record<StatementRefusal, string>> = {
  tag: 'it carries another tag',
  network: 'it belongs to another network',
  length: 'its length is wrong',
  range: 'a field is out of range',
  items: 'its items are repeated, unsorted or too many',
  signature: 'its signature does not hold',
};

export const refuseStatement = (statement: StatementName, reason: StatementRefusal): Parsed<never> =>
  fail({
    code: 'bad-statement',
    fault: 'peer',
    statement,
    reason,
    message: `not a valid ${statement} statement: ${EXPLANATIONS[reason]}`,
  });

export class StatementWriter extends ByteWriter {
  constructor(tag: string, network?: Network) {
    super(512);
    this.tag(tag);
    if (network) this.fixed(network.genesis, 32).u32(network.netuid);
  }
  hotkey(hotkey: Hotkey): this {
    return this.bytes(publicKeyOf(hotkey));
  }
  id(id: AnchorId): this {
    return this.fixed(idBytes(id), 32);
  }
  order(id: OrderId): this {
    return this.fixed(idBytes(id), 16);
  }
}

const NO_KEY = new Uint8Array(32);

/** Reads straight through and refuses once, at `close`; after the first refusal fields are worthless fillers. */
export class StatementReader extends ByteReader {
  readonly #statement: StatementName;
  #reason: StatementRefusal | undefined;

  constructor(statement: StatementName, bytes: Uint8Array, tag: string, network?: Network) {
    super(bytes);
    this.#statement = statement;
    if (!this.tag(tag)) this.refuse('tag');
    if (network) {
      const same = equalBytes(this.bytes(32), network.genesis) && this.u32() === network.netuid;
      this.require(!this.ok || same, 'network');
    }
  }

  refuse(reason: StatementRefusal): void {
    this.#reason ??= reason;
  }
  require(condition: boolean, reason: StatementRefusal): void {
    if (this.ok && !condition) this.refuse(reason);
  }

  /** A copy, so that the decoded value does not keep or follow the source buffer. */
  copy(width: number): Uint8Array {
    return this.bytes(width).slice();
  }
  hotkey(): Hotkey {
    const key = this.bytes(32);
    return hotkeyOf(this.ok ? key : NO_KEY);
  }
  anchorId(): AnchorId {
    return toHex(this.bytes(32)) as AnchorId;
  }
  orderId(): OrderId {
    return toHex(this.bytes(16)) as OrderId;
  }
  /**
   * `count` items of `width` bytes that must be all that is left but `after` bytes. The length is compared before
   * anything is read, so that a count from outside never sizes a loop.
   */
  items<T>(count: number, width: number, after: number, read: () => T): T[] {
    if (this.ok && this.remaining !== count * width + after) this.refuse('length');
    if (this.#reason || !this.ok) return [];
    return Array.from({ length: count }, read);
  }

  /** The refusal of something that is known to be wrong already. */
  failed(): Parsed<never> {
    return refuseStatement(this.#statement, this.#reason ?? 'length');
  }
  /** The value, when nothing was refused and nothing is left over. */
  close<T>(value: T): Parsed<T> {
    return this.finished && !this.#reason ? succeed(value) : this.failed();
  }
}

/** statement ‖ signature₆₄. */
export function signStatement(signer: Signer, statement: Uint8Array): Uint8Array {
  invariant(statement.length !== 32, 'a bare 32-byte message is never signed');
  return concatBytes(statement, signer.sign(statement));
}

/** Splits statement ‖ signature₆₄ without judging either; undefined when it is too short to be both. */
export function splitSigned(signed: Uint8Array): { statement: Uint8Array; signature: Uint8Array } | undefined {
  const end = signed.length - SIGNATURE_BYTES;
  // A 32-byte "statement" has no tag of ours; it is refused here so that no path ever verifies one.
  if (end <= 0 || end === 32) return undefined;
  return { statement: signed.subarray(0, end), signature: signed.subarray(end) };
}

/**
 * The value of statement ‖ signature₆₄ when both hold.
 * @param parse the statement's parser, with the network bound: `(bytes) => parseGrant(network, bytes)`
 * @param signerOf whose signature it must carry: a known key, or the field of the statement that names its signer,
 *   in which case the caller still has to ask whether it trusts that signer
 */
export function openSigned<T>(
  verify: VerifySr25519,
  name: StatementName,
  signed: Uint8Array,
  parse: (statement: Uint8Array) => Parsed<T>,
  signerOf: (value: T) => Hotkey,
): Parsed<T> {
  const parts = splitSigned(signed);
  if (!parts) return refuseStatement(name, 'signature');
  const parsed = parse(parts.statement);
  if (!parsed.ok) return parsed;
  const key = publicKeyOf(signerOf(parsed.value));
  return verify(parts.statement, parts.signature, key) ? parsed : refuseStatement(name, 'signature');
}
