import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '#shared/primitives/bytes.ts';
import { MAX_PROBLEM_BYTES } from './limits.ts';
import { encodeProblem, isProblemCode, PROBLEMS, parseProblem, problemOf, problemResponse } from './problem.ts';

describe('the table', () => {
  it.each(Object.entries(PROBLEMS))('has a kebab-case code, an error status and a title for %s', (code, row) => {
    expect(code).toMatch(/^[a-z][a-z0-9-]{0,39}$/);
    expect(row.status).toBeGreaterThanOrEqual(400);
    expect(row.status).toBeLessThan(600);
    expect(row.title).toMatch(/[^.]$/);
    // A fault of the caller is a 4xx, but for the room that its tenant has; what is not is a 5xx.
    expect(row.status < 500 || code === 'tenant-quota').toBe(row.fault === 'caller');
  });
  it('knows no inherited names', () => {
    expect(isProblemCode('constructor')).toBe(false);
    expect(isProblemCode('absent')).toBe(true);
  });
});

describe('a problem', () => {
  it('is told as RFC 9457 wants it', async () => {
    const response = problemResponse('too-large', 'at most 5 bytes', { maxBytes: 5 }, { 'retry-after': '1' });
    expect(response.status).toBe(413);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toEqual({
      type: 'urn:filetao:problem:too-large',
      title: 'The body is larger than allowed',
      status: 413,
      code: 'too-large',
      detail: 'at most 5 bytes',
      maxBytes: 5,
    });
  });
  it('lets no extra member pose as a standard one', () => {
    expect(problemOf('busy', undefined, { code: 'absent', status: 200 }).body).toMatchObject({
      code: 'busy',
      status: 429,
    });
  });
  it('is never longer than a peer reads', () => {
    for (const bytes of [
      encodeProblem('busy', 'ä'.repeat(9000)),
      encodeProblem('busy', 'x', { list: 'y'.repeat(9000) }),
    ]) {
      expect(bytes.length).toBeLessThanOrEqual(MAX_PROBLEM_BYTES);
      expect(parseProblem(bytes)?.code).toBe('busy');
    }
  });
});

describe("a peer's problem", () => {
  it('comes back as it was told', () => {
    expect(parseProblem(encodeProblem('absent', 'no such shard'))).toEqual({ code: 'absent', detail: 'no such shard' });
    expect(parseProblem(utf8('{"code":"from-the-future"}'))).toEqual({ code: 'from-the-future' });
  });
  it('forges no log lines', () => {
    expect(parseProblem(utf8(JSON.stringify({ code: 'a', detail: 'x\n\u001b[2Jy\u202e' })))?.detail).toBe('x  [2Jy ');
  });
  it.each([
    '',
    'null',
    '[]',
    '"x"',
    '{}',
    '{"code":5}',
    '{"code":"Bad"}',
    '{"code":"a b"}',
    '{"code":"',
    '{"code":""}',
  ])('is none in %j', (text) => {
    expect(parseProblem(utf8(text))).toBeUndefined();
  });
  it('is none when it is too long', () => {
    expect(parseProblem(utf8(`{"code":"a","x":"${'y'.repeat(MAX_PROBLEM_BYTES)}"}`))).toBeUndefined();
  });
  it('never throws, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => void parseProblem(bytes)));
  });
});
