import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FileNumber, hotkeyOf, parseHotkey, parseSs58, refOf, splitRef } from './ids.ts';

const ALICE = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY';

describe('hotkeys', () => {
  it('are the SS58 text of a public key', () => {
    expect(hotkeyOf(parseSs58(ALICE) as Uint8Array)).toBe(ALICE);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        expect(parseSs58(hotkeyOf(key))).toEqual(key);
      }),
    );
  });
  it.each([
    ['a letter changed', ALICE.replace('G', 'H')],
    ['another prefix', '15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5'],
    ['a letter short', ALICE.slice(1)],
    ['nothing', ''],
    ['a letter outside base58', ALICE.replace('G', '0')],
  ])('refuse %s', (_, text) => {
    expect(parseHotkey(text)).toBeUndefined();
  });
});

describe('ref', () => {
  it('carries file number and segment', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 - 1 }), fc.nat(2 ** 24 - 1), (file, segment) => {
        expect(splitRef(refOf(file as FileNumber, segment))).toEqual({ file, segment });
      }),
    );
  });
});
