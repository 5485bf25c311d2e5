import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from './run-command-line.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'filetao-cli-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

function sink() {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => chunks.join('') };
}

async function run(...words: readonly string[]) {
  const [stdout, stderr] = [sink(), sink()];
  const code = await runCommandLine(words, {
    environment: { HOME: home },
    workingFolder: home,
    stdin: process.stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
    version: '1.2.3',
    signal: new AbortController().signal,
  });
  return { code, out: stdout.text(), err: stderr.text() };
}

describe('the command line', () => {
  it('without words shows its commands', async () => {
    const { code, out } = await run();
    expect(code).toBe(0);
    for (const word of ['put', 'get', 'ls', 'wallet', 'doctor', 'Examples:']) expect(out).toContain(word);
  });
  it.each([['--version'], ['-V']])('%s says the version', async (flag) => {
    expect(await run(flag)).toMatchObject({ code: 0, out: '1.2.3\n' });
  });
  it('shows examples in the help of a command', async () => {
    const { code, out } = await run('put', '--help');
    expect([code, out]).toEqual([0, expect.stringContaining('filetao put photos/ --ttl 1y')]);
  });

  it.each<[string, readonly string[], string]>([
    ['a word that is no command', ['pu'], "unknown command 'pu'"],
    ['an option that there is not', ['put', '--nope'], "unknown option '--nope'"],
    ['a group without a command', ['wallet'], 'which of its commands'],
    ['a missing argument', ['stat'], "missing required argument 'file'"],
    ['a value that is none', ['put', '.', '--ttl', 'soon', '--public'], '--ttl must be a duration'],
    ['a choice that is none', ['wallet', 'create', '--words', '13'], 'Allowed choices are 12'],
    ['too many arguments', ['ls', 'a', 'b'], 'too many arguments'],
    ['no edge', ['ls'], 'no edge is known'],
    ['an edge that is no URL', ['ls', '--url', 'ftp://x'], '--url must be an http or https URL'],
    ['an edge with a password in it', ['ls', '--url', 'https://a:b@x'], 'must not contain a user name'],
    ['a shell that is none', ['completion', 'tcsh'], 'the shell must be one of'],
    ['a phrase that is none', ['recover', '--phrase-file', '/dev/null', '--url', 'http://x'], 'holds nothing'],
    ['nobody to ask for a password', ['wallet', 'create'], 'give --password-file or --no-password'],
  ])('refuses %s with 2, in one line', async (_, words, message) => {
    const { code, out, err } = await run(...words);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
    expect(err).not.toContain('    at ');
  });

  it('tells a script what was wrong as JSON', async () => {
    const { code, out, err } = await run('ls', '--json', '--nope');
    expect([code, out]).toEqual([2, '']);
    expect(JSON.parse(err).error).toMatchObject({ code: 'usage', exit: 2 });
  });
  it.each<[string, readonly string[], number]>([
    ['a file that is not there', ['put', 'no-such-file', '--public', '--url', 'http://x'], 3],
    ['a wallet that is not there', ['wallet', 'show'], 3],
    ['an edge without a key', ['ls', '--url', 'http://127.0.0.1:9'], 4],
    ['a miner that is not there', ['miner', 'leave', 'nowhere', '--yes'], 3],
  ])('%s', async (_, words, exit) => expect((await run(...words)).code).toBe(exit));
});
