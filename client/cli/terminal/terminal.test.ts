import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CommandFailed } from '../command-failed.ts';
import { Output } from './output.ts';
import { phraseText } from './phrase.ts';
import { progressLine, rateOf, startProgress } from './progress-bar.ts';
import { formatPairs, formatTable, printable } from './table.ts';
import { formatTao, parseTao } from './tao.ts';
import { getWidth } from './width.ts';

describe('tables', () => {
  it('align columns, and end lines without spaces', () => {
    const columns = [{ title: 'name' }, { title: 'size', align: 'right' as const }];
    expect(
      formatTable(columns, [
        ['a', '1 B'],
        ['longer', '10 B'],
      ]),
    ).toBe('name    size\na        1 B\nlonger  10 B');
  });
  it('count what a terminal shows: wide characters two columns, marks none', () => {
    expect([getWidth('abc'), getWidth('日本'), getWidth('e\u0301'), getWidth('🙂')]).toEqual([3, 4, 1, 2]);
    expect(
      formatPairs([
        ['日本', 'x'],
        ['abcdef', 'y'],
      ]),
    ).toBe('日本    x\nabcdef  y');
  });
  it.each([
    ['\u001b[31mred', '\\u001b[31mred'],
    ['a\nb', 'a\\u000ab'],
    ['cod\u202eexe', 'cod\\u202eexe'],
    ['plain Ünïcode 日本 🙂', 'plain Ünïcode 日本 🙂'],
  ])('names from elsewhere are made safe: %j', (text, safe) => expect(printable(text)).toBe(safe));
  it('nothing printable holds a control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(/\p{Cc}/u.test(printable(text))).toBe(false);
      }),
    );
  });
});

describe('progress', () => {
  const state = { label: 'film.mkv', bytes: 50 * 2 ** 20, total: 100 * 2 ** 20, rate: 10 * 2 ** 20 };
  it('shows share, bytes, rate and the time left', () => {
    expect(progressLine(state, 120)).toBe(
      `film.mkv  [${'#'.repeat(12)}${'·'.repeat(12)}]   50%  50 MiB of 100 MiB  10 MiB/s  5.0 s left`,
    );
  });
  it('gives up the bar first, then cuts the label', () => {
    expect(progressLine(state, 70)).toBe('film.mkv   50%  50 MiB of 100 MiB  10 MiB/s  5.0 s left');
    const narrow = progressLine({ ...state, label: 'a-very-long-name-of-a-film.mkv' }, 60);
    expect(narrow.length).toBeLessThanOrEqual(60);
    expect(narrow).toContain('50 MiB of 100 MiB');
  });
  it('says what it knows of a pipe', () => {
    expect(progressLine({ label: 'stdin', bytes: 1024, total: undefined, rate: undefined }, 80)).toBe('stdin  1 KiB');
    expect(progressLine({ label: 'empty', bytes: 0, total: 0, rate: undefined }, 80)).toContain('100%');
  });
  it('knows a rate only after a quarter of a second', () => {
    expect(
      rateOf([
        { atMs: 0, bytes: 0 },
        { atMs: 200, bytes: 10 },
      ]),
    ).toBeUndefined();
    expect(
      rateOf([
        { atMs: 0, bytes: 0 },
        { atMs: 500, bytes: 1000 },
      ]),
    ).toBe(2000);
  });
  it('draws ten times a second at most, and takes the line away', () => {
    const written: string[] = [];
    let nowMs = 0;
    const bar = startProgress({ write: (text) => written.push(text), columns: 80 }, () => nowMs, 'x', 100);
    for (; nowMs < 1000; nowMs += 10) bar.update(nowMs / 10);
    bar.done();
    expect(written.length).toBeLessThanOrEqual(11);
    expect(written.at(-1)).toBe('\r\u001b[K');
  });
});

describe('output', () => {
  function open(json: boolean, quiet = false, isTTY = false) {
    const [out, err]: [string[], string[]] = [[], []];
    const stream = (into: string[]) => ({ write: (text: string) => into.push(text), isTTY });
    return { out, err, output: new Output({ stdout: stream(out), stderr: stream(err), json, quiet, color: false }) };
  }
  it('with --json is one document and nothing else', () => {
    const { out, err, output } = open(true, false, true);
    output.note('a note');
    output.progress('p', 1).update(1);
    output.result({ a: 1 }, 'text');
    expect([JSON.parse(out.join('')), err]).toEqual([{ a: 1 }, []]);
  });
  it('tells failures to people with what to do, to scripts with codes', () => {
    const failed = new CommandFailed('not-found', 'no such file', 3, 'look elsewhere');
    const people = open(false);
    people.output.failure(failed);
    expect(people.err.join('')).toBe('filetao: no such file\n  look elsewhere\n');
    const script = open(true);
    script.output.failure(failed);
    expect(JSON.parse(script.err.join(''))).toEqual({
      error: { code: 'not-found', message: 'no such file', hint: 'look elsewhere', exit: 3 },
    });
  });
  it('draws no progress in a pipe, and says nothing when asked to be quiet', () => {
    const { err, output } = open(false, true, true);
    output.progress('p', 1).update(1);
    output.note('a note');
    expect(err).toEqual([]);
    const pipe = open(false);
    pipe.output.progress('p', 1).update(1);
    expect(pipe.err).toEqual([]);
  });
});

describe('TAO', () => {
  it.each([
    ['0', 0n],
    ['1', 1_000_000_000n],
    ['0.5', 500_000_000n],
    ['0.000000001', 1n],
    ['12.000000010', 12_000_000_010n],
  ])('%s', (text, rao) => {
    expect(parseTao(text)).toBe(rao);
    expect(parseTao(formatTao(rao).replace(' TAO', ''))).toBe(rao);
  });
  it.each(['', '-1', '1.', '.5', '1.0000000001', '1e3', '1,5', '10000000000'])('refuses %j', (text) =>
    expect(parseTao(text)).toBeUndefined(),
  );
});

it('a phrase is written as one copies it: numbered, four words a line', () => {
  const phrase = 'a b c d e f g h i j k l';
  expect(phraseText(phrase).split('\n')).toHaveLength(3);
  expect(phraseText(phrase).match(/\d+\. \w/g)).toHaveLength(12);
});
