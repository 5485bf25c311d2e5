/**
 * A signature check that remembers what it found good. An edge sends the same grant with every request of a day, and
 * each check of its signature would cost 0.3 ms. Bounded; only exact repeats of message, signature and key count.
 */
import { concatBytes, toBase64 } from '#shared/primitives/bytes.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import type { VerifySr25519 } from '#shared/primitives/signer.ts';

export function rememberVerified(verify: VerifySr25519, capacity: number): VerifySr25519 {
  const good = new Set<string>();
  return (message, signature, publicKey) => {
    const key = toBase64(sha256(concatBytes(publicKey, signature, message)));
    if (good.has(key)) return true;
    if (!verify(message, signature, publicKey)) return false;
    // The oldest goes first: grants live a day, edges are few.
    const oldest = good.size >= capacity ? good.values().next().value : undefined;
    if (oldest !== undefined) good.delete(oldest);
    good.add(key);
    return true;
  };
}
