import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '#shared/primitives/bytes.ts';
import { decodeFileName, MAX_NAME_BYTES, parseFileName } from './file-name.ts';

describe('a file name', () => {
  test.each([
    'a',
    'holiday.jpg',
    '日本語.txt',
    'naïve café',
    '🌱',
    '...',
    '.hidden',
    'a b',
    'CON',
    '%41',
    "it's",
    'a'.repeat(255),
  ])('may be %j', (name) => {
    expect(parseFileName(name)).toEqual({ ok: true, name: name.normalize('NFC') });
  });

  test.each([
    '',
    '.',
    '..',
    '/',
    'a/b',
    '../etc/passwd',
    'a\\b',
    'a\0b',
    'a\nb',
    'a\r\nSet-Cookie: x',
    '\u007f',
    '\u0085',
    '\u2028',
    'txt.\u202eexe',
    '\u2066a',
    '\ud800',
    'a'.repeat(256),
    'ä'.repeat(128),
  ])('may not be %j', (name) => {
    expect(parseFileName(name).ok).toBe(false);
  });

  test('is one name whether its accents are composed or not', () => {
    expect(parseFileName('cafe\u0301')).toEqual(parseFileName('caf\u00e9'));
  });

  test('comes back from percent-encoding', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        const parsed = parseFileName(text);
        expect(decodeFileName(encodeURIComponent(text))).toEqual(parsed);
        if (!parsed.ok) return;
        expect(utf8(parsed.name).length).toBeLessThanOrEqual(MAX_NAME_BYTES);
        expect(parsed.name).not.toMatch(/[/\\]/);
      }),
    );
  });

  test.each(['%', '%zz', '%ff', 'a%2Fb', '%2e%2e', '%00', '%E2%80%AE'])('is refused when encoded as %s', (encoded) => {
    expect(decodeFileName(encoded).ok).toBe(false);
  });
});
