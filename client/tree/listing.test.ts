import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cidOf } from '#shared/codec/cid.ts';
import { utf8 } from '#shared/primitives/bytes.ts';
import { ClientError } from '../client-error.ts';
import { identityOf } from '../keys/keyring.ts';
import { parseListing, type TreeListing, writeListing } from './listing.ts';
import { isSafePath, linkStaysInside } from './tree-path.ts';

const body = {
  cid: cidOf(new Uint8Array(32)),
  identity: identityOf('x25519', new Uint8Array(32)),
  bytes: 10,
  storedBytes: 500,
};
const file = (path: string, change = {}) => ({
  ...{ path, type: 'file', bytes: 3, mode: 0o644, mtimeMs: 5, tag: 'A'.repeat(43), body: 0, offset: 7 },
  ...change,
});
const folder = (path: string) => ({ path, type: 'folder', mode: 0o755, mtimeMs: 5 });
const link = (path: string, target: string) => ({ path, type: 'link', target, mtimeMs: 5 });
const listing = (...entries: readonly object[]) => utf8(JSON.stringify({ version: 1, bodies: [body], entries }));
const codeOf = (bytes: Uint8Array): string => {
  try {
    parseListing(bytes);
  } catch (error) {
    if (error instanceof ClientError) return error.code;
    throw error;
  }
  return 'none';
};

describe('a listing', () => {
  it('comes back', () => {
    const names = [
      'a',
      'a/b',
      'ü',
      'u\u0308',
      '\u202Ecod.exe',
      '🌱/👩‍👩‍👧',
      ' ',
      '...',
      '\\',
      'new\nline',
      '-rf',
      'CON',
    ];
    const entries = names.map((path) => (path === 'a' ? folder(path) : file(path)));
    const made = JSON.parse(new TextDecoder().decode(listing(...entries, link('l', '../elsewhere')))) as TreeListing;
    expect(parseListing(writeListing(made))).toEqual(made);
  });
  it.each([
    ['an absolute path', listing(file('/etc/passwd')), 'unsafe-path'],
    ['a climbing path', listing(file('../x')), 'unsafe-path'],
    ['a climbing path inside', listing(file('a/../../x')), 'unsafe-path'],
    ['a path that ends in ..', listing(folder('a/..')), 'unsafe-path'],
    ['a dot', listing(folder('.')), 'unsafe-path'],
    ['an empty path', listing(file('')), 'unsafe-path'],
    ['an empty name', listing(file('a//b')), 'unsafe-path'],
    ['a closing slash', listing(folder('a/')), 'unsafe-path'],
    ['a NUL', listing(file('a\0b')), 'unsafe-path'],
    ['half a character', listing(file('\ud800')), 'unsafe-path'],
    ['a name that is too long', listing(file('ü'.repeat(128))), 'unsafe-path'],
    ['a path twice', listing(file('a'), file('a')), 'unsafe-path'],
    ['a file below a file', listing(file('a'), file('a/b')), 'unsafe-path'],
    ['a file below a link', listing(link('a', '/etc'), file('a/passwd')), 'unsafe-path'],
    ['a file below a link that comes later', listing(file('a/b/c'), link('a', '.')), 'unsafe-path'],
    ['a file past the end of its body', listing(file('a', { offset: 8 })), 'bad-record'],
    ['a file in no body', listing(file('a', { body: 1 })), 'bad-record'],
    ['a negative offset', listing(file('a', { offset: -1 })), 'bad-record'],
    ['a mode with more than it may', listing(file('a', { mode: 0o100644 })), 'bad-record'],
    ['an unknown type', listing({ ...file('a'), type: 'device' }), 'bad-record'],
    ['no tag', listing(file('a', { tag: undefined })), 'bad-record'],
    ['another version', utf8('{"version":2,"bodies":[],"entries":[]}'), 'bad-record'],
    ['no JSON', utf8('{'), 'bad-record'],
    ['nothing', new Uint8Array(), 'bad-record'],
  ])('is not believed with %s', (_, bytes, code) => {
    expect(codeOf(bytes)).toBe(code);
  });
  it('of noise is refused and nothing else', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void expect(codeOf(bytes)).toBe('bad-record')));
    fc.assert(
      fc.property(fc.json(), (text) => void expect(['bad-record', 'unsafe-path']).toContain(codeOf(utf8(text)))),
    );
  });
});

it('a safe path never leads out', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('.', '..', 'a', '', '/', '\\', '..\\', 'ü')), (parts) => {
      const path = parts.join('/');
      if (isSafePath(path)) expect(new URL(`file:///root/${encodeURI(path)}`).pathname.startsWith('/root/')).toBe(true);
    }),
  );
});

it.each([
  ['l', 'x', true],
  ['a/l', '../x', true],
  ['a/b/l', '../../x/y', true],
  ['l', './x', true],
  ['l', '..', false],
  ['l', '../x', false],
  ['a/l', '../../x', false],
  ['a/l', 'b/../../../x', false],
  ['l', '/etc/passwd', false],
  ['l', '', false],
  ['l', '..\\x', false],
])('a link at %s to %s stays inside: %s', (path, target, stays) => {
  expect(linkStaysInside(path, target)).toBe(stays);
});
