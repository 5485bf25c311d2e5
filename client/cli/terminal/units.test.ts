import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, parseByteRange, parseBytes, parseDuration } from './units.ts';

describe('sizes', () => {
  it.each([
    [0, '0 B'],
    [1, '1 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [102_400, '100 KiB'],
    [1_048_575, '1024 KiB'],
    [1_048_576, '1 MiB'],
    [5_242_881, '5 MiB'],
    [2 ** 53, '8 PiB'],
  ])('%i is written %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    ['0', 0],
    ['1000', 1000],
    ['10B', 10],
    ['64K', 65_536],
    ['64KiB', 65_536],
    ['5M', 5_242_880],
    ['1G', 2 ** 30],
    ['2TiB', 2 ** 41],
  ])('%s is read as %i', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  it.each(['', '-1', '1.5M', 'M', '1 M', '1X', '1KB', '0x10', '9999999999999999', '99999999T'])('refuses %j', (text) =>
    expect(parseBytes(text)).toBeUndefined(),
  );
});

describe('durations', () => {
  it.each([
    [0, '0.0 s'],
    [400, '0.4 s'],
    [12_000, '12 s'],
    [65_000, '1 min 05 s'],
    [7_380_000, '2 h 03 min'],
    [4 * 86_400_000, '4 d 0 h'],
  ])('%i ms are written %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it.each([
    ['90', 90],
    ['90s', 90],
    ['15m', 900],
    ['12h', 43_200],
    ['30d', 2_592_000],
    ['2w', 1_209_600],
    ['1y', 31_536_000],
  ])('%s are %i seconds', (text, seconds) => expect(parseDuration(text)).toBe(seconds));

  it.each(['', '-1', '1.5h', 'h', '1 h', '1month', '1e3', '12345678901'])('refuses %j', (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );
});

describe('ranges', () => {
  it.each([
    ['0-0', { first: 0, last: 0 }],
    ['0-1023', { first: 0, last: 1023 }],
    ['5-', { first: 5, last: undefined }],
  ])('%s', (text, range) => expect(parseByteRange(text)).toEqual(range));
  it.each(['', '-', '-5', '5', '5-4', 'a-b', '1-2-3', '0-1,3-4'])('refuses %j', (text) =>
    expect(parseByteRange(text)).toBeUndefined(),
  );
});

it('no text makes a parser throw, and no size makes the writer', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat({ max: Number.MAX_SAFE_INTEGER }), (text, count) => {
      parseBytes(text);
      parseDuration(text);
      parseByteRange(text);
      expect(formatBytes(count)).toMatch(/^\d{1,4}(\.\d)? ([KMGTP]i)?B$/);
      expect(formatDuration(count)).not.toContain('NaN');
    }),
  );
});
