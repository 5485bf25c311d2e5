/** What is inside a private file's record: written and read back, and nothing else is believed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '#shared/primitives/bytes.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { type FileId, hexId } from '#shared/primitives/ids.ts';
import { ClientError } from '../client-error.ts';
import { identityOf, newKeyring } from '../keys/keyring.ts';
import { isRecipient, openSmall, sealSmall } from './age-box.ts';
import { type EnvelopeText, parseEnvelopeText, writeEnvelopeText } from './envelope-text.ts';
import { openMetadata, sealMetadata } from './metadata.ts';

const IDENTITY = identityOf('x25519', new Uint8Array(32).fill(7));
const FILE_ID = hexId<FileId>(new Uint8Array(16).fill(3), 16);
const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof ClientError) return error.code;
    throw error;
  }
  return 'none';
};

describe('the text of an envelope', () => {
  it('carries any name on one line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.nat(), (name, bytes) => {
        fc.pre(name.isWellFormed());
        const text: EnvelopeText = { identity: IDENTITY, facts: { kind: 'file', bytes, name, type: 'a/b' } };
        const written = writeEnvelopeText(text);
        expect(parseEnvelopeText(written)).toEqual(text);
        expect(new TextDecoder().decode(written).split('\n')).toHaveLength(7);
      }),
      { numRuns: 50 },
    );
  });
  const right = `# filetao private file 1\n# kind: "file"\n# bytes: 1\n${IDENTITY}\n`;
  it('passes over comments that it does not know', () => {
    const text = right.replace('# bytes', '# later: {"x":1}\n# anything\n# bytes');
    expect(parseEnvelopeText(utf8(text)).facts).toEqual({ kind: 'file', bytes: 1 });
  });
  it.each([
    ['nothing', ''],
    ['another first line', right.replace('file 1', 'file 2')],
    ['no identity', right.replace(`${IDENTITY}\n`, '')],
    ['two identities', right + right.split('\n').at(-2)],
    ['a plugin’s identity', right.replace(IDENTITY, 'AGE-PLUGIN-YUBIKEY-1QQPQZQYQSZQ5')],
    ['no end of line', right.slice(0, -1)],
    ['a line that is no comment', right.replace('# kind', 'kind')],
    ['no kind', right.replace('# kind: "file"\n', '')],
    ['an unknown kind', right.replace('"file"', '"fifo"')],
    ['no length', right.replace('# bytes: 1\n', '')],
    ['a negative length', right.replace('bytes: 1', 'bytes: -1')],
    ['a value that is no JSON', right.replace('bytes: 1', 'bytes: one')],
    ['a name that is none', right.replace('# bytes', '# name: 5\n# bytes')],
    ['more than it can hold', right.replace('# bytes', `# ${'x'.repeat(9000)}\n# bytes`)],
  ])('is not read from %s', async (_, text) => {
    expect(await codeOf(() => parseEnvelopeText(utf8(text)))).toBe('bad-record');
  });
  it('never reads anything from noise but refuses it', () => {
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect(await codeOf(() => parseEnvelopeText(bytes))).toBe('bad-record');
      }),
    );
  });
});

describe('metadata', () => {
  const seed = new Uint8Array(32).fill(1);
  const metadata = { kind: 'tree', bytes: 9, name: 'ü', shared: ['age1x'], passphrase: false } as const;
  const sealed = () => sealMetadata(seed, FILE_ID, { ...metadata, shared: [...metadata.shared] }, systemRandom);

  it('opens with its account’s key', async () => {
    expect(await openMetadata(seed, FILE_ID, await sealed())).toEqual(metadata);
  });
  it('is never the same twice', async () => {
    expect(await sealed()).not.toEqual(await sealed());
  });
  it.each([
    ['another account', async () => openMetadata(new Uint8Array(32), FILE_ID, await sealed()), 'wrong-key'],
    [
      'another file',
      async () => openMetadata(seed, hexId<FileId>(new Uint8Array(16), 16), await sealed()),
      'wrong-key',
    ],
    ['a changed byte', async () => openMetadata(seed, FILE_ID, (await sealed()).fill(0, 20, 22)), 'wrong-key'],
    ['nothing', async () => openMetadata(seed, FILE_ID, new Uint8Array()), 'bad-record'],
    ['less than a tag', async () => openMetadata(seed, FILE_ID, new Uint8Array(27)), 'bad-record'],
  ])('is not read with %s', async (_, open, code) => {
    expect(await codeOf(open)).toBe(code);
  });
});

describe('an age message', () => {
  it('opens with a recipient’s key alone', async () => {
    const [one, two] = [await newKeyring(systemRandom), await newKeyring(systemRandom, 'hybrid')];
    const sealed = await sealSmall({ recipients: one.recipients }, utf8('x'));
    expect(await openSmall(one, sealed, 'it')).toEqual(utf8('x'));
    expect(await codeOf(() => openSmall(two, sealed, 'it'))).toBe('wrong-key');
    expect(await codeOf(() => openSmall(one, sealed.fill(0, sealed.length - 3), 'it'))).toBe('bad-record');
  });
  it('opens with its passphrase, and with no other', async () => {
    const sealed = await sealSmall({ passphrase: 'right horse' }, utf8('secret'), 10);
    expect(await openSmall({ passphrase: 'right horse' }, sealed, 'it')).toEqual(utf8('secret'));
    expect(await codeOf(() => openSmall({ passphrase: 'wrong horse' }, sealed, 'it'))).toBe('wrong-key');
  });
  it.each(['', 'age1', 'AGE-SECRET-KEY-1XYZ', 'me@example.org', 'age1pq1xyz'])('does not go to %j', (text) => {
    expect(isRecipient(text)).toBe(false);
  });
});
