/**
 * What a signed `/health` answer is signed over, for the miner that signs and the client that checks
 * (protocol.md §2):
 *
 *   "filetao/health/v1\0"  nonce₃₂  miner₃₂  H(body)₃₂
 */
import { ByteWriter } from '#shared/primitives/bytes.ts';
import { type Hotkey, publicKeyOf } from '#shared/primitives/ids.ts';

/** Lowercase hex of the signature. */
export const HEALTH_SIGNATURE_HEADER = 'filetao-signature';
export const HEALTH_NONCE_BYTES = 32;

export const healthStatement = (nonce: Uint8Array, miner: Hotkey, bodySha256: Uint8Array): Uint8Array =>
  new ByteWriter(128)
    .tag('filetao/health/v1')
    .fixed(nonce, HEALTH_NONCE_BYTES)
    .bytes(publicKeyOf(miner))
    .fixed(bodySha256, 32)
    .finish();
