import { describe, expect, it } from 'vitest';
import { bodyRule, contentDigest, parseContentDigest } from './body-rule.ts';
import { EMPTY_BODY_DIGEST } from './btauth.ts';

const DIGEST = contentDigest(new Uint8Array(32).fill(0xab));
const HEX = 'ab'.repeat(32);
const rule = (headers: Record<string, string>, stream = false) => bodyRule((name) => headers[name], 1_000_000, stream);

describe('bodyRule', () => {
  it.each([
    { id: 'nothing', headers: {}, value: { kind: 'none', bytes: 0, digestHex: EMPTY_BODY_DIGEST } },
    {
      id: 'length 0',
      headers: { 'content-length': '0' },
      value: { kind: 'none', bytes: 0, digestHex: EMPTY_BODY_DIGEST },
    },
    { id: 'a small body', headers: { 'content-length': '65536' }, value: { kind: 'held', bytes: 65_536 } },
    {
      id: 'a small body with its digest',
      headers: { 'content-length': '5', 'content-digest': DIGEST },
      value: { kind: 'digested', bytes: 5, digestHex: HEX },
    },
    {
      id: 'a large body with its digest',
      headers: { 'content-length': '1000000', 'content-digest': DIGEST, 'content-encoding': 'identity' },
      value: { kind: 'digested', bytes: 1_000_000, digestHex: HEX },
    },
  ])('reads $id', ({ headers, value }) => {
    expect(rule(headers as Record<string, string>)).toEqual({ ok: true, value });
  });
  it('takes a chunked body on the stream route alone, and no digest there', () => {
    const headers = { 'transfer-encoding': 'chunked', 'content-digest': DIGEST };
    expect(rule(headers, true)).toMatchObject({ ok: true, value: { kind: 'stream', digestHex: EMPTY_BODY_DIGEST } });
    expect(rule(headers)).toMatchObject({ ok: false, failure: { code: 'length-required' } });
  });
  it.each([
    { id: 'a large body without a digest', headers: { 'content-length': '65537' }, code: 'digest-required' },
    { id: 'too large a body', headers: { 'content-length': '1000001', 'content-digest': DIGEST }, code: 'too-large' },
    {
      id: 'an encoded body',
      headers: { 'content-length': '5', 'content-encoding': 'gzip' },
      code: 'unsupported-encoding',
    },
    {
      id: 'both framings',
      headers: { 'content-length': '5', 'transfer-encoding': 'chunked' },
      code: 'length-required',
    },
    { id: 'a negative length', headers: { 'content-length': '-1' }, code: 'bad-request' },
    { id: 'a hexadecimal length', headers: { 'content-length': '0x10' }, code: 'bad-request' },
    { id: 'a length with a leading zero', headers: { 'content-length': '05' }, code: 'bad-request' },
    { id: 'two lengths', headers: { 'content-length': '5, 5' }, code: 'bad-request' },
    {
      id: 'another digest',
      headers: { 'content-length': '5', 'content-digest': 'sha-512=:abc=:' },
      code: 'bad-request',
    },
    {
      id: 'two digests',
      headers: { 'content-length': '5', 'content-digest': `${DIGEST}, ${DIGEST}` },
      code: 'bad-request',
    },
    {
      id: 'a digest without colons',
      headers: { 'content-length': '5', 'content-digest': 'sha-256=abc=' },
      code: 'bad-request',
    },
  ])('refuses $id', ({ headers, code }) => {
    expect(rule(headers as unknown as Record<string, string>)).toMatchObject({ ok: false, failure: { code } });
  });
  it('reads the digest that it writes, and no other spelling of it', () => {
    expect(parseContentDigest(DIGEST)).toEqual(new Uint8Array(32).fill(0xab));
    // The last base64 character carries two bits that must be zero.
    expect(parseContentDigest(DIGEST.replace('s=:', 't=:'))).toBeUndefined();
    expect(parseContentDigest(` ${DIGEST}`)).toBeUndefined();
  });
});
