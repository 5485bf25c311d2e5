import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentDisposition, isShownInline, servedHeaders } from './served-headers.ts';

test.each(['image/png', 'image/avif', 'audio/ogg', 'video/mp4', 'text/plain', 'Text/Plain; charset=utf-8'])(
  '%s is shown in place',
  (type) => expect(isShownInline(type)).toBe(true),
);
test.each([
  'image/svg+xml',
  'IMAGE/SVG+XML; charset=utf-8',
  'image/svg',
  'text/html',
  'text/plainer',
  'application/pdf',
  'application/xhtml+xml',
  'text/xml',
  'application/octet-stream',
])('%s is a download', (type) => expect(isShownInline(type)).toBe(false));

describe('Content-Disposition', () => {
  test.each([
    { name: undefined, is: 'attachment' },
    { name: 'a b.txt', is: 'attachment; filename="a b.txt"' },
    { name: 'a"b.txt', is: `attachment; filename="a_b.txt"; filename*=UTF-8''a%22b.txt` },
    { name: '100%.txt', is: `attachment; filename="100_.txt"; filename*=UTF-8''100%25.txt` },
    { name: 'Grüße.txt', is: `attachment; filename="Gr__e.txt"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt` },
    { name: '🌱', is: `attachment; filename="_"; filename*=UTF-8''%F0%9F%8C%B1` },
  ])('of $name', ({ name, is }) => expect(contentDisposition('attachment', name)).toBe(is));

  test('is one safe header line for any name, and carries it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), (name) => {
        fc.pre(name.isWellFormed());
        const text = contentDisposition('inline', name);
        expect(text).toMatch(/^[\x20-\x7e]+$/);
        const extended = /filename\*=UTF-8''(.*)$/.exec(text)?.[1];
        expect(extended === undefined ? /filename="(.*)"$/.exec(text)?.[1] : decodeURIComponent(extended)).toBe(name);
      }),
    );
  });
});

test('whatever is served, no browser guesses or runs it', () => {
  const headers = servedHeaders({ contentType: 'text/html', name: 'x.html' });
  expect(headers['X-Content-Type-Options']).toBe('nosniff');
  expect(headers['Content-Security-Policy']).toBe("sandbox; default-src 'none'");
  expect(headers['Content-Disposition']).toMatch(/^attachment/);
});
