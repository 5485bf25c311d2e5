import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cidOf } from '#shared/codec/cid.ts';
import { evaluatePreconditions, lastModifiedOf, rangeStillValid } from './conditional.ts';

const cid = cidOf(new Uint8Array(32));
const other = cidOf(new Uint8Array(32).fill(1));
const file = { cid, createdAtMs: Date.UTC(2026, 9, 1, 12, 0, 0, 750) };
const EXACT = 'Thu, 01 Oct 2026 12:00:00 GMT';
const BEFORE = 'Thu, 01 Oct 2026 11:59:59 GMT';
const AFTER = 'Thu, 01 Oct 2026 12:00:01 GMT';

test('Last-Modified is in whole seconds', () => {
  expect(lastModifiedOf(file)).toBe(EXACT);
});

describe('preconditions', () => {
  const cases: readonly { id: string; headers: Record<string, string>; is: string }[] = [
    { id: 'none', headers: {}, is: 'proceed' },
    { id: 'the tag it has', headers: { 'If-None-Match': `"${cid}"` }, is: 'not-modified' },
    { id: 'the tag, weak', headers: { 'If-None-Match': `W/"${cid}"` }, is: 'not-modified' },
    { id: 'one of several tags', headers: { 'If-None-Match': `"x", ,W/"y" , "${cid}"` }, is: 'not-modified' },
    { id: 'any tag', headers: { 'If-None-Match': '*' }, is: 'not-modified' },
    { id: 'another tag', headers: { 'If-None-Match': `"${other}"` }, is: 'proceed' },
    { id: 'a tag without quotes', headers: { 'If-None-Match': cid }, is: 'proceed' },
    { id: 'a tag wins over a date', headers: { 'If-None-Match': '"x"', 'If-Modified-Since': AFTER }, is: 'proceed' },
    { id: 'not modified since', headers: { 'If-Modified-Since': EXACT }, is: 'not-modified' },
    { id: 'modified since', headers: { 'If-Modified-Since': BEFORE }, is: 'proceed' },
    { id: 'no date', headers: { 'If-Modified-Since': 'yesterday' }, is: 'proceed' },
    { id: 'must match and does', headers: { 'If-Match': `"x", "${cid}"` }, is: 'proceed' },
    { id: 'must match and does not', headers: { 'If-Match': '"x"' }, is: 'failed' },
    { id: 'must match, weakly', headers: { 'If-Match': `W/"${cid}"` }, is: 'failed' },
    { id: 'must exist', headers: { 'If-Match': '*' }, is: 'proceed' },
    { id: 'must be unmodified and is', headers: { 'If-Unmodified-Since': EXACT }, is: 'proceed' },
    { id: 'must be unmodified and is not', headers: { 'If-Unmodified-Since': BEFORE }, is: 'failed' },
  ];
  test.each(cases)('$id', ({ headers, is }) => {
    expect(evaluatePreconditions(new Headers(headers), file)).toBe(is);
  });

  test('stand any header text', () => {
    const text = fc.stringMatching(/^[\x20-\x7e]{0,80}$/);
    fc.assert(
      fc.property(text, text, (a, b) => {
        const headers = new Headers({ 'If-None-Match': a, 'If-Match': b });
        expect(['proceed', 'not-modified', 'failed']).toContain(evaluatePreconditions(headers, file));
      }),
    );
  });
});

describe('If-Range', () => {
  test.each([
    { id: 'absent', value: undefined, is: true },
    { id: 'the tag', value: `"${cid}"`, is: true },
    { id: 'the date', value: EXACT, is: true },
    { id: 'the tag, weak', value: `W/"${cid}"`, is: false },
    { id: 'another tag', value: '"x"', is: false },
    { id: 'a later date', value: AFTER, is: false },
    { id: 'nonsense', value: 'nonsense', is: false },
  ])('$id', ({ value, is }) => {
    expect(rangeStillValid(new Headers(value === undefined ? {} : { 'If-Range': value }), file)).toBe(is);
  });
});
