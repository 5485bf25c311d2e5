import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FileId, hexId } from '#shared/primitives/ids.ts';
import { accountKeyOf, ownerIdOf, verifyAccount } from './account.ts';
import {
  MAX_ENVELOPE_BYTES,
  MAX_METADATA_BYTES,
  MAX_SIGNED_ENVELOPE_BYTES,
  packSignedEnvelope,
  parseSignedEnvelope,
  signEnvelope,
  signerOf,
} from './signed-envelope.ts';

const SEED = new Uint8Array(32).fill(9);
const ACCOUNT = accountKeyOf(SEED);
const BODY = { digest: new Uint8Array(32).fill(4), bytes: 1234 };
const FILE_ID = hexId<FileId>(new Uint8Array(16).fill(3), 16);
const content = (envelope = 300, metadata = 50) => ({
  fileId: FILE_ID,
  revision: 7,
  envelope: new Uint8Array(envelope).fill(1),
  metadata: new Uint8Array(metadata).fill(2),
});
const signed = (envelope?: number, metadata?: number) => signEnvelope(SEED, ACCOUNT, content(envelope, metadata), BODY);
const packed = () => packSignedEnvelope(signed());

describe('a signed envelope', () => {
  it.each([
    ['of ordinary size', 300, 50],
    ['without metadata', 300, 0],
    ['of the least size', 1, 0],
    ['of the largest size', MAX_ENVELOPE_BYTES, MAX_METADATA_BYTES],
  ])('%s comes back, signed by its account', (_, envelope, metadata) => {
    const made = signed(envelope, metadata);
    const bytes = packSignedEnvelope(made);
    expect(bytes.length).toBeLessThanOrEqual(MAX_SIGNED_ENVELOPE_BYTES);
    const parsed = parseSignedEnvelope(bytes);
    expect(parsed).toEqual(made);
    expect(parsed && signerOf(parsed, BODY)).toBe(ownerIdOf(ACCOUNT));
  });

  it.each([
    ['another body', {}, { ...BODY, digest: new Uint8Array(32).fill(5) }],
    ['another length', {}, { ...BODY, bytes: 1235 }],
    ['another file', { fileId: hexId<FileId>(new Uint8Array(16), 16) }, BODY],
    ['another revision', { revision: 8 }, BODY],
    ['another envelope', { envelope: new Uint8Array(300) }, BODY],
    ['other metadata', { metadata: new Uint8Array(50) }, BODY],
    ['another account', { account: accountKeyOf(new Uint8Array(32)) }, BODY],
    ['no account at all', { account: new Uint8Array(32) }, BODY],
    ['no signature', { signature: new Uint8Array(64) }, BODY],
  ])('is nobody’s for %s', (_, change, body) => {
    expect(signerOf({ ...signed(), ...change }, body)).toBeUndefined();
  });

  it.each([
    ['nothing', () => new Uint8Array()],
    ['a byte less', () => packed().slice(0, -1)],
    ['a byte more', () => Uint8Array.of(...packed(), 0)],
    ['another version', () => packed().fill(2, 0, 1)],
    ['revision 0', () => packed().fill(0, 17, 25)],
    ['a revision beyond 2⁵³', () => packed().fill(255, 17, 25)],
    ['an empty envelope', () => Uint8Array.of(...packed().slice(0, 57), 0, 0, ...packed().slice(359))],
    ['an envelope that runs past the end', () => packed().fill(255, 57, 59)],
    ['more than the most', () => new Uint8Array(MAX_SIGNED_ENVELOPE_BYTES + 1).fill(1)],
  ])('is not parsed from %s', (_, make) => {
    expect(parseSignedEnvelope(make())).toBeUndefined();
  });

  it.each([
    ['an envelope', MAX_ENVELOPE_BYTES + 1, 0],
    ['no envelope', 0, 0],
    ['metadata', 1, MAX_METADATA_BYTES + 1],
  ])('is not written with %s that does not fit', (_, envelope, metadata) => {
    expect(() => packSignedEnvelope(signed(envelope, metadata))).toThrow(RangeError);
  });

  it('has one spelling: what parses is written as it was', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 400 }),
          fc.nat(472).map((at) => packed().fill(0xa5, at, at + 1)),
        ),
        (bytes) => {
          const parsed = parseSignedEnvelope(bytes);
          if (parsed) expect(packSignedEnvelope(parsed)).toEqual(bytes);
        },
      ),
    );
  });

  it('any bit of it changed is refused or nobody’s', () => {
    fc.assert(
      fc.property(fc.nat(packed().length - 1), fc.nat(7), (at, bit) => {
        const bytes = packed();
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        const parsed = parseSignedEnvelope(bytes);
        expect(parsed && signerOf(parsed, BODY)).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });
});

it('signatures of weak or malformed keys never hold', () => {
  const identity = new Uint8Array(32).fill(0).fill(1, 0, 1);
  for (const key of [identity, new Uint8Array(32), new Uint8Array(32).fill(255), new Uint8Array(31)]) {
    for (const signature of [new Uint8Array(64), Uint8Array.of(...identity, ...new Uint8Array(32))]) {
      expect(verifyAccount(key, new Uint8Array(5), signature)).toBe(false);
    }
  }
});
