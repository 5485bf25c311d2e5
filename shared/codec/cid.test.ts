import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { base16 } from 'multiformats/bases/base16';
import { base32upper } from 'multiformats/bases/base32';
import { base58btc } from 'multiformats/bases/base58';
import { CID } from 'multiformats/cid';
import * as digests from 'multiformats/hashes/digest';
import { describe, expect, it } from 'vitest';
import { cidOf, parseCid } from './cid.ts';

const digest = new Uint8Array(createHash('sha256').update('hello world').digest());
/** As `ipfs add --cid-version=1 --raw-leaves` names these eleven bytes. */
const HELLO = 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e';

const textOf = (code: number, hash: number, bytes: Uint8Array): string =>
  CID.createV1(code, digests.create(hash, bytes)).toString();

describe('a CID', () => {
  it('names bytes as IPFS does', () => {
    expect(cidOf(digest)).toBe(HELLO);
    expect(parseCid(HELLO)).toEqual({ cid: HELLO, digest });
  });

  it('and its digest are one to one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const cid = cidOf(bytes);
        expect(cid).toMatch(/^bafkrei[a-z2-7]{52}$/);
        expect(parseCid(cid)).toEqual({ cid, digest: bytes });
      }),
    );
  });

  it.each([0, 31, 33])('is not made of %i bytes', (bytes) => {
    expect(() => cidOf(new Uint8Array(bytes))).toThrow(RangeError);
  });
});

describe('parseCid refuses', () => {
  const parsed = CID.parse(HELLO);
  it.each([
    ['nothing', ''],
    ['capitals', HELLO.toUpperCase()],
    ['one capital', HELLO.replace('f', 'F')],
    ['base32 in capitals', parsed.toString(base32upper)],
    ['base58', parsed.toString(base58btc)],
    ['base16', parsed.toString(base16)],
    ['version 0', CID.createV0(digests.create(0x12, digest)).toString()],
    ['dag-pb', textOf(0x70, 0x12, digest)],
    ['dag-cbor', textOf(0x71, 0x12, digest)],
    ['sha3-256', textOf(0x55, 0x16, digest)],
    ['blake3', textOf(0x55, 0x1e, digest)],
    ['a short digest', textOf(0x55, 0x12, digest.subarray(1))],
    ['a long digest', textOf(0x55, 0x12, new Uint8Array(33))],
    ['a letter too few', HELLO.slice(0, -1)],
    ['a letter too many', `${HELLO}a`],
    ['padding', `${HELLO}=`],
    ['a blank before', ` ${HELLO}`],
    ['a blank in place of a letter', `${HELLO.slice(0, -1)} `],
    ['a letter outside base32', HELLO.replace('z', '1')],
    ['a path behind', `${HELLO.slice(0, -2)}/a`],
    ['bits that encode nothing', `${HELLO.slice(0, -1)}f`],
  ])('%s', (_, text) => {
    expect(text).not.toBe(HELLO);
    expect(parseCid(text)).toBeUndefined();
  });

  it('any text but those it returns, and never throws', () => {
    const nearly = fc
      .tuple(fc.nat(58), fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz234567ABZ=0189/ \u0000é'))
      .map(([at, letter]) => HELLO.slice(0, at) + letter + HELLO.slice(at + 1));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          nearly,
          fc.base64String(),
          nearly.map((t) => t.slice(1)),
        ),
        (text) => {
          const found = parseCid(text);
          if (found) expect(cidOf(found.digest)).toBe(text);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
