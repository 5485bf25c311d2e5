import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pieceSource, readAll } from '#edge/testing/sources.ts';
import { concatBytes, equalBytes, utf8 } from '#shared/primitives/bytes.ts';
import { BodyRefused } from './body-refused.ts';
import { MultipartReader } from './multipart.ts';
import { boundaryOf, parsePartHead } from './multipart-head.ts';

interface Part {
  readonly filename: string;
  readonly type?: string;
  readonly bytes: Uint8Array;
}

const encode = (boundary: string, parts: readonly Part[]): Uint8Array =>
  concatBytes(
    ...parts.flatMap(({ filename, type, bytes }) => [
      utf8(`--${boundary}\r\nContent-Disposition: form-data; name="f"; filename="${filename}"\r\n`),
      utf8(`${type ? `Content-Type: ${type}\r\n` : ''}\r\n`),
      bytes,
      utf8('\r\n'),
    ]),
    utf8(`--${boundary}--\r\n`),
  );

async function decode(form: Uint8Array, boundary: string, sizes?: readonly number[]): Promise<Part[]> {
  const reader = new MultipartReader(pieceSource(form, sizes), boundary);
  const parts: Part[] = [];
  for (let part = await reader.nextPart(); part; part = await reader.nextPart()) {
    const { filename, contentType, source } = part;
    parts.push({ filename, ...(contentType ? { type: contentType } : {}), bytes: await readAll(source) });
  }
  return parts;
}

const sameParts = (a: readonly Part[], b: readonly Part[]): boolean =>
  a.length === b.length &&
  a.every((part, at) => part.filename === b[at]?.filename && equalBytes(part.bytes, b[at]?.bytes ?? utf8('?')));

/** Bodies made of what boundaries are made of. */
const trickyBytes = fc
  .array(fc.constantFrom('\r', '\n', '-', '--', 'b', '\r\n--', '\r\n--b', '--b', 'x', '\r\n'), { maxLength: 60 })
  .map((parts) => utf8(parts.join('')));

describe('a form', () => {
  test('gives its files back, however the network cuts it', async () => {
    const part = fc.record({
      filename: fc.stringMatching(/^[a-z0-9äöü ._-]{1,20}$/),
      bytes: fc.oneof(fc.uint8Array({ maxLength: 300 }), trickyBytes),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 }),
        async (parts, sizes) => {
          // A boundary that no body holds, as a sender must choose it.
          const boundary = 'bcd-never-in-a-body';
          expect(sameParts(await decode(encode(boundary, parts), boundary, sizes), parts)).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('holds parts that are larger than its window', async () => {
    const bytes = new Uint8Array(700_000).map((_, at) => (at * 7) % 251);
    const parts = [
      { filename: 'a', bytes },
      { filename: 'b', bytes: bytes.subarray(1) },
    ];
    expect(sameParts(await decode(encode('x', parts), 'x', [65_536, 1, 70_000]), parts)).toBe(true);
  });

  test('skips what of a part was not read', async () => {
    const form = encode('x', [
      { filename: 'a', bytes: new Uint8Array(300_000) },
      { filename: 'b', bytes: utf8('second') },
    ]);
    const reader = new MultipartReader(pieceSource(form, [1000]), 'x');
    expect((await reader.nextPart())?.filename).toBe('a');
    const second = await reader.nextPart();
    expect(second?.filename).toBe('b');
    expect(await readAll(second?.source ?? pieceSource(utf8('')))).toEqual(utf8('second'));
    expect(await reader.nextPart()).toBeUndefined();
  });

  test('may have a preamble, padding behind a boundary, and an epilogue', async () => {
    const form = utf8(
      'hello\r\n--x \t\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\nbytes\r\n--x--\r\nbye\r\n--x\r\n',
    );
    expect(await decode(form, 'x')).toEqual([{ filename: 'a', bytes: utf8('bytes') }]);
  });

  const head = 'Content-Disposition: form-data; name="f"; filename="a"';
  const refused: readonly { id: string; form: string; code: string }[] = [
    { id: 'nothing at all', form: '', code: 'truncated' },
    { id: 'no boundary in sight', form: 'x'.repeat(5000), code: 'bad-request' },
    { id: 'another boundary', form: `--y\r\n${head}\r\n\r\nb\r\n--y--`, code: 'truncated' },
    { id: 'ends behind a boundary', form: '--x', code: 'truncated' },
    { id: 'ends within a head', form: `--x\r\n${head}`, code: 'truncated' },
    { id: 'ends within a part', form: `--x\r\n${head}\r\n\r\nbytes`, code: 'truncated' },
    { id: 'ends within the closing boundary', form: `--x\r\n${head}\r\n\r\nbytes\r\n--x-`, code: 'truncated' },
    { id: 'text behind a boundary', form: `--xy\r\n${head}\r\n\r\nb\r\n--x--`, code: 'bad-request' },
    { id: 'endless padding', form: `--x${' '.repeat(5000)}\r\n${head}\r\n\r\nb\r\n--x--`, code: 'bad-request' },
    { id: 'no head', form: '--x\r\n\r\nb\r\n--x--', code: 'bad-request' },
    { id: 'an endless head', form: `--x\r\nA: ${'b'.repeat(300_000)}`, code: 'bad-request' },
    { id: 'two dispositions', form: `--x\r\n${head}\r\n${head}\r\n\r\nb\r\n--x--`, code: 'bad-request' },
    {
      id: 'a field',
      form: '--x\r\nContent-Disposition: form-data; name="ttl"\r\n\r\n5\r\n--x--',
      code: 'bad-request',
    },
    {
      id: 'no form-data',
      form: '--x\r\nContent-Disposition: file; filename="a"\r\n\r\nb\r\n--x--',
      code: 'bad-request',
    },
    { id: 'a header line without colon', form: `--x\r\n${head}\r\nnonsense\r\n\r\nb\r\n--x--`, code: 'bad-request' },
    {
      id: 'base64',
      form: `--x\r\n${head}\r\nContent-Transfer-Encoding: base64\r\n\r\nb\r\n--x--`,
      code: 'bad-request',
    },
    {
      id: 'a type that is none',
      form: `--x\r\n${head}\r\nContent-Type: nonsense\r\n\r\nb\r\n--x--`,
      code: 'bad-request',
    },
  ];
  test.each(refused)('is refused with $id', async ({ form, code }) => {
    const error = await decode(utf8(form), 'x', [3]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BodyRefused);
    expect((error as BodyRefused).failure.code).toBe(code);
  });

  test('never hangs or fails in another way, whatever is sent', async () => {
    const token = fc.constantFrom(
      '--x',
      '\r\n',
      '--',
      'Content-Disposition: form-data; filename=a',
      ':',
      'z',
      ' ',
      '"',
    );
    const form = fc.array(token, { maxLength: 40 }).map((parts) => utf8(parts.join('')));
    await fc.assert(
      fc.asyncProperty(form, fc.integer({ min: 1, max: 20 }), async (bytes, size) => {
        const outcome = await decode(bytes, 'x', [size]).catch((error: unknown) => error);
        expect(Array.isArray(outcome) || outcome instanceof BodyRefused).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('boundaryOf', () => {
  const cases: readonly { id: string; header: string | null; is: string | undefined | false }[] = [
    { id: 'none', header: null, is: undefined },
    { id: 'another type', header: 'text/plain', is: undefined },
    { id: 'a token', header: 'multipart/form-data; boundary=----abc123', is: '----abc123' },
    { id: 'quoted', header: 'Multipart/Form-Data; charset=utf-8; boundary="a b:c"', is: 'a b:c' },
    { id: 'without a boundary', header: 'multipart/form-data', is: false },
    { id: 'empty', header: 'multipart/form-data; boundary=""', is: false },
    { id: 'too long', header: `multipart/form-data; boundary=${'a'.repeat(71)}`, is: false },
    { id: 'a forbidden character', header: 'multipart/form-data; boundary="a{b"', is: false },
    { id: 'a space at its end', header: 'multipart/form-data; boundary="a "', is: false },
    { id: 'two boundaries', header: 'multipart/form-data; boundary=a; boundary=b', is: false },
    { id: 'multipart of another kind', header: 'multipart/mixed; boundary=a', is: false },
  ];
  test.each(cases)('$id', ({ header, is }) => {
    const outcome = boundaryOf(header);
    if (is === false) expect(outcome.ok).toBe(false);
    else expect(outcome).toEqual({ ok: true, value: is });
  });
});

describe('parsePartHead', () => {
  const name = (value: string) => parsePartHead(utf8(`Content-Disposition: form-data; name="f"; filename=${value}`));
  test.each([
    { id: 'Unicode as it is', value: '"Grüße 🌱.txt"', is: 'Grüße 🌱.txt' },
    { id: 'a quote, as browsers write it', value: '"a%22b"', is: 'a"b' },
    { id: 'a quote, as curl writes it', value: '"a\\"b"', is: 'a"b' },
    { id: 'a backslash, as curl writes it', value: '"a\\\\b"', is: 'a\\b' },
    { id: 'a percent sign stays one', value: '"100%41.txt"', is: '100%41.txt' },
    { id: 'a semicolon within quotes', value: '"a;b=c"', is: 'a;b=c' },
    { id: 'a token', value: 'plain.txt', is: 'plain.txt' },
  ])('reads $id', ({ value, is }) => {
    expect(name(value)).toEqual({ ok: true, head: { filename: is, contentType: undefined } });
  });
  test.each([
    { id: 'an open quote', value: '"a' },
    { id: 'two file names', value: '"a"; filename="b"' },
    { id: 'text behind the name', value: '"a" b' },
  ])('refuses $id', ({ value }) => {
    expect(name(value).ok).toBe(false);
  });
  test('refuses what is not UTF-8', () => {
    expect(parsePartHead(Uint8Array.of(0x41, 0xff, 0x3a)).ok).toBe(false);
  });
});
