/**
 * Blocks as a node keeps them. The header is hashed as on any Substrate chain, so that clients who hash it themselves
 * agree. Its state root is no Merkle root: the local chain proves nothing, it only commits to its history by chaining
 * the hash of each block's changes.
 */
import { blake2b } from '@noble/hashes/blake2.js';
import { concatBytes, fromHex, utf8 } from '#shared/primitives/bytes.ts';
import { encode, encodeLength } from '../scale/encode.ts';
import { TypeTable } from '../scale/type-table.ts';
import type { Changes } from '../state/state-view.ts';

export interface Header {
  readonly parentHash: Uint8Array;
  readonly number: number;
  readonly stateRoot: Uint8Array;
  readonly extrinsicsRoot: Uint8Array;
}
export interface Block {
  readonly hash: Uint8Array;
  readonly header: Header;
  /** Each with its length prefix. */
  readonly extrinsics: readonly Uint8Array[];
}

const FORMAT = new TypeTable({
  Header: `scale { parentHash: [u8; 32], number: Compact<u32>, stateRoot: [u8; 32], extrinsicsRoot: [u8; 32],
    digest: Vec<Vec<u8>> }`,
});
const hash = (bytes: Uint8Array): Uint8Array => blake2b(bytes, { dkLen: 32 });

function changesHash(changes: Changes): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const key of [...changes.keys()].sort()) {
    const value = changes.get(key);
    const keyBytes = fromHex(key) ?? utf8(key);
    parts.push(encodeLength(keyBytes.length), keyBytes, Uint8Array.of(value ? 1 : 0));
    if (value) parts.push(encodeLength(value.length), value);
  }
  return hash(concatBytes(...parts));
}

export function sealBlock(
  parent: Header | undefined,
  parentHash: Uint8Array,
  extrinsics: readonly Uint8Array[],
  changes: Changes,
): Block {
  const before = parent?.stateRoot ?? new Uint8Array(32);
  const header: Header = {
    parentHash,
    number: parent ? parent.number + 1 : 0,
    stateRoot: hash(concatBytes(before, changesHash(changes))),
    extrinsicsRoot: hash(concatBytes(...extrinsics)),
  };
  return { hash: hash(encode(FORMAT.get('Header'), { ...header, digest: [] })), header, extrinsics };
}
