import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, utf8 } from '#shared/primitives/bytes.ts';
import { publicKeyOf } from '#shared/primitives/ids.ts';
import type { Sr25519 } from '#shared/primitives/signer.ts';
import vector from '../../test/vectors/btauth-1.json' with { type: 'json' };
import { loadSr25519 } from './node-sr25519.ts';
import { signerFromSeed, verify } from './sr25519-scure.ts';

const wasm = await loadSr25519();
const scure: Sr25519 = { signerFromSeed, verify };
const ALICE_SEED = fromHex('e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a') as Uint8Array;
const implementations = [
  { id: 'scure', own: scure, other: wasm },
  { id: 'wasm', own: wasm, other: scure },
];

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe.each(implementations)('sr25519 by $id', ({ own, other }) => {
  it('knows //Alice by her mini-secret', () => {
    expect(own.signerFromSeed(ALICE_SEED).hotkey).toBe(vector.sender.sr25519);
  });

  it('gives every seed the same public key as the other, and signatures that both accept', () => {
    fc.assert(
      fc.property(seeds, fc.uint8Array({ maxLength: 300 }), (seed, message) => {
        const signer = own.signerFromSeed(seed);
        expect(signer.publicKey).toEqual(other.signerFromSeed(seed).publicKey);
        expect(publicKeyOf(signer.hotkey)).toEqual(signer.publicKey);
        const signature = signer.sign(message);
        expect(signature).toHaveLength(64);
        expect(own.verify(message, signature, signer.publicKey)).toBe(true);
        expect(other.verify(message, signature, signer.publicKey)).toBe(true);
      }),
      { numRuns: 10 },
    );
  });

  it.each([0, 31, 33, 64])('refuses a seed of %i bytes', (length) => {
    expect(() => own.signerFromSeed(new Uint8Array(length))).toThrow();
  });

  it('refuses every signature with one bit changed', () => {
    const signer = own.signerFromSeed(ALICE_SEED);
    const message = utf8('a statement');
    const signature = signer.sign(message);
    for (let bit = 0; bit < 512; bit += 7) {
      const forged = signature.slice();
      forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(own.verify(message, forged, signer.publicKey)).toBe(false);
    }
  });

  it('refuses another message, another key, and malformed keys and signatures, and never throws', () => {
    const signer = own.signerFromSeed(ALICE_SEED);
    const message = utf8('a statement');
    const signature = signer.sign(message);
    const key = signer.publicKey;
    const refused: [Uint8Array, Uint8Array, Uint8Array][] = [
      [utf8('a statemenT'), signature, key],
      [utf8(''), signature, key],
      [message, signature, own.signerFromSeed(new Uint8Array(32)).publicKey],
      [message, signature, new Uint8Array(32)],
      [message, signature, new Uint8Array(32).fill(255)],
      [message, signature, key.subarray(1)],
      [message, signature, new Uint8Array(33)],
      [message, signature, new Uint8Array(0)],
      [message, signature.subarray(1), key],
      [message, new Uint8Array(65), key],
      [message, new Uint8Array(0), key],
      [message, new Uint8Array(64), key],
      [message, new Uint8Array(64).fill(255), key],
    ];
    for (const [m, s, k] of refused) expect(own.verify(m, s, k)).toBe(false);
  });

  it('agrees with the other on arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.uint8Array({ maxLength: 40 }), (signature, key) => {
        expect(own.verify(new Uint8Array(3), signature, key)).toBe(false);
        expect(other.verify(new Uint8Array(3), signature, key)).toBe(false);
      }),
      { numRuns: 50 },
    );
  });
});
