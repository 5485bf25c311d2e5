import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '#shared/primitives/bytes.ts';
import { referenceKernel } from '#shared/testing/reference-kernel.ts';
import { loadNodeKernel } from './node-kernel.ts';
import { Sha256Chain, sha256Start } from './sha256-chain.ts';

const kernel = loadNodeKernel();
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('a chain', () => {
  it('ends in the digest of all bytes, in whatever pieces they come', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), fc.array(fc.nat(150), { maxLength: 12 }), (bytes, cuts) => {
        const chain = new Sha256Chain(kernel);
        let at = 0;
        for (const cut of cuts) {
          chain.update(bytes.subarray(at, at + cut));
          at = Math.min(bytes.length, at + cut);
        }
        chain.update(bytes.subarray(at));
        expect(toHex(chain.digest())).toBe(digestOf(bytes));
        expect(chain.state() === undefined).toBe(bytes.length % 64 !== 0);
      }),
    );
  });

  it.each([55, 56, 63, 64, 65, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 100_000])('of %i bytes', (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7 + (i >> 8));
    for (const each of [kernel, referenceKernel]) {
      const chain = new Sha256Chain(each);
      chain.update(bytes);
      expect(toHex(chain.digest())).toBe(digestOf(bytes));
    }
  });

  it('goes on from the state that another machine left', () => {
    fc.assert(
      fc.property(fc.nat(9), fc.uint8Array({ maxLength: 300 }), (blocks, rest) => {
        const head = Uint8Array.from({ length: 64 * blocks }, (_, i) => i * 31);
        const first = new Sha256Chain(kernel);
        first.update(head);
        const second = new Sha256Chain(kernel, first.state(), head.length);
        second.update(rest);
        expect(toHex(second.digest())).toBe(digestOf(Uint8Array.from([...head, ...rest])));
      }),
    );
  });

  it('can be asked for its digest and go on', () => {
    const chain = new Sha256Chain(kernel);
    chain.update(Uint8Array.of(1, 2, 3));
    expect(toHex(chain.digest())).toBe(digestOf(Uint8Array.of(1, 2, 3)));
    chain.update(new Uint8Array(61));
    expect(toHex(chain.digest())).toBe(digestOf(Uint8Array.from([1, 2, 3, ...new Uint8Array(61)])));
  });

  it('counts beyond 2³² bits', () => {
    const before = sha256Start();
    const [low, high] = [2 ** 29 - 64, 2 ** 32].map((bytes) => toHex(new Sha256Chain(kernel, before, bytes).digest()));
    // Known: the state is the same, the length in the padding is not.
    expect(low).not.toBe(high);
    expect(toHex(new Sha256Chain(referenceKernel, before, 2 ** 32).digest())).toBe(high);
  });

  it('refuses to begin in the middle of a block, or from no state', () => {
    expect(() => new Sha256Chain(kernel, sha256Start(), 63)).toThrow();
    expect(() => new Sha256Chain(kernel, new Uint8Array(31))).toThrow();
    expect(() => kernel.hashBlocks(sha256Start(), new Uint8Array(65))).toThrow();
  });
});
