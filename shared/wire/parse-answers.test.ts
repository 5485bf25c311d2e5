import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBase64Url, utf8 } from '#shared/primitives/bytes.ts';
import { hotkeyOf } from '#shared/primitives/ids.ts';
import { MAX_LIST_ITEM_BYTES, MAX_SHARD_BYTES } from './limits.ts';
import { isCursor, parseHealth, parseListing } from './parse-answers.ts';

const json = (value: unknown) => utf8(JSON.stringify(value));

const health = {
  hotkey: hotkeyOf(new Uint8Array(32)),
  version: '0.1.0',
  role: 'miner',
  freeBytes: 1,
  capacityBytes: 2,
  shards: 3,
  draining: false,
};

describe('parseHealth', () => {
  it('reads what it knows and ignores the rest', () => {
    expect(parseHealth(json({ ...health, more: [] }))).toEqual(health);
  });
  it.each([
    { id: 'no hotkey', change: { hotkey: undefined } },
    { id: 'a misspelt hotkey', change: { hotkey: 'abc' } },
    { id: 'another role', change: { role: 'edge' } },
    { id: 'negative bytes', change: { freeBytes: -1 } },
    { id: 'half a byte', change: { capacityBytes: 0.5 } },
    { id: 'more than 2^53 bytes', change: { capacityBytes: 2 ** 53 } },
    { id: 'bytes as text', change: { freeBytes: '1' } },
    { id: 'no shards', change: { shards: null } },
    { id: 'draining as a number', change: { draining: 0 } },
    { id: 'leaving as anything but true', change: { leaving: false } },
    { id: 'a version with a line break', change: { version: 'a\nb' } },
    { id: 'an endless version', change: { version: 'v'.repeat(65) } },
  ])('refuses $id', ({ change }) => {
    expect(parseHealth(json({ ...health, ...change }))).toBeUndefined();
  });
});

const item = {
  anchorId: 'ab'.repeat(32),
  bytes: 5,
  ref: '18446744073709551615',
  holdUntilMs: 7,
  label: toBase64Url(new Uint8Array(160).fill(255)),
  state: 'held',
};

describe('parseListing', () => {
  it('reads a page', () => {
    const page = parseListing(
      json({ items: [item, { ...item, ref: '0', label: '', state: 'dropped' }], next: 'a.b~c-_1' }),
      2,
    );
    expect(page).toMatchObject({
      items: [
        { ref: 2n ** 64n - 1n, bytes: 5 },
        { ref: 0n, state: 'dropped' },
      ],
      next: 'a.b~c-_1',
    });
    expect(page?.items[0]?.label.length).toBe(160);
  });
  it.each([{ next: null }, {}])('takes %j for the last page', (end) => {
    expect(parseListing(json({ items: [], ...end }), 1)).toEqual({ items: [] });
  });
  it('has room for the longest item', () => {
    const longest = { ...item, bytes: MAX_SHARD_BYTES, holdUntilMs: Number.MAX_SAFE_INTEGER, state: 'dropped' };
    expect(parseListing(json({ items: [longest] }), 1)?.items).toHaveLength(1);
    expect(json(longest).length + 1).toBeLessThanOrEqual(430);
    expect(MAX_LIST_ITEM_BYTES).toBeGreaterThan(430);
  });
  it.each([
    { id: 'no items', page: {} },
    { id: 'items that are none', page: { items: {} } },
    { id: 'more items than asked', page: { items: [item, item, item] } },
    { id: 'a null among the items', page: { items: [null] } },
    { id: 'a short anchor', page: { items: [{ ...item, anchorId: 'ab' }] } },
    { id: 'an uppercase anchor', page: { items: [{ ...item, anchorId: 'AB'.repeat(32) }] } },
    { id: 'a ref as a number', page: { items: [{ ...item, ref: 5 }] } },
    { id: 'a ref of 65 bits', page: { items: [{ ...item, ref: '18446744073709551616' }] } },
    { id: 'a ref with a leading zero', page: { items: [{ ...item, ref: '05' }] } },
    { id: 'a shard that is too large', page: { items: [{ ...item, bytes: MAX_SHARD_BYTES + 1 }] } },
    { id: 'no label', page: { items: [{ ...item, label: undefined }] } },
    { id: 'a padded label', page: { items: [{ ...item, label: 'AA==' }] } },
    { id: 'a label of 161 bytes', page: { items: [{ ...item, label: toBase64Url(new Uint8Array(161)) }] } },
    { id: 'an unknown state', page: { items: [{ ...item, state: 'erased' }] } },
    { id: 'a negative hold', page: { items: [{ ...item, holdUntilMs: -1 }] } },
    { id: 'a cursor that needs an escape', page: { items: [], next: 'a&limit=9' } },
    { id: 'an empty cursor', page: { items: [], next: '' } },
    { id: 'a cursor as a number', page: { items: [], next: 5 } },
  ])('refuses $id', ({ page }) => {
    expect(parseListing(json(page), 2)).toBeUndefined();
  });
  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(utf8)), (bytes) => {
        parseListing(bytes, 10);
        parseHealth(bytes);
      }),
    );
  });
  it('takes cursors that stand in a target as they are', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        if (isCursor(text)) expect(new URL(`http://m/?c=${text}`).search).toBe(`?c=${text}`);
      }),
    );
    expect(isCursor('a'.repeat(129))).toBe(false);
  });
});
