import { describe, expect, test } from 'vitest';
import { parseContentType } from './content-type.ts';

describe('a content type', () => {
  test.each(['image/png', ' text/plain; charset=utf-8 ', 'a/b;c="d e\\" f"', 'application/vnd.x+json;v=1'])(
    'may be %j',
    (type) => expect(parseContentType(type)).toBe(type.trim()),
  );
  test.each([
    '',
    'png',
    'image/',
    '/png',
    'image/png/x',
    'image/png;',
    'image/png; charset',
    'text/html\r\nX: y',
    'a b/c',
    'image/png, text/html',
    `a/${'b'.repeat(300)}`,
  ])('may not be %j', (type) => expect(parseContentType(type)).toBeUndefined());
});
