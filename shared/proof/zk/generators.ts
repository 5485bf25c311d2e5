/**
 * The 35 generators of zk/v1, hashed to the group so that nobody knows a relation between them (RFC 9380 suite
 * ristretto255_XMD:SHA-512_R255MAP_RO_). Derived once per process (25 ms); kernels take them as an argument, so that a
 * test can see what a wrong one does.
 */
import { ristretto255_hasher } from '@noble/curves/ed25519.js';
import { ByteWriter, concatBytes, utf8 } from '#shared/primitives/bytes.ts';
import { PIECES } from './zk-kernel.ts';

const DST = 'filetao/zk/v1/generator';

const hashToPoint = (message: Uint8Array): Uint8Array =>
  ristretto255_hasher.hashToCurve(message, { DST: utf8(DST) }).toBytes();

let generators: Uint8Array | undefined;

/** G_0 … G_33, then B; 32 bytes each. */
export function zkGenerators(): Uint8Array {
  generators ??= concatBytes(
    ...Array.from({ length: PIECES }, (_, j) => hashToPoint(new ByteWriter(4).u32(j).finish())),
    hashToPoint(utf8('blinding')),
  );
  return generators.slice();
}
