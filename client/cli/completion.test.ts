import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completionScript, SHELLS } from './completion.ts';
import { rootCommand } from './specs/root-command.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'filetao-completion-'));
  writeFileSync(join(folder, 'filetao.bash'), completionScript('bash', rootCommand));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What bash offers after these words. */
function offered(...words: readonly string[]): readonly string[] {
  const line = ['filetao', ...words];
  const list = line.map((word) => `'${word}'`).join(' ');
  const script = `source ${join(folder, 'filetao.bash')}; COMP_WORDS=(${list}); COMP_CWORD=${line.length - 1}; _filetao; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' }).trim().split('\n').filter(Boolean);
}

describe('completion in bash', () => {
  it.each<[readonly string[], readonly string[]]>([
    [['pu'], ['put']],
    [['wallet', 'c'], ['create']],
    [['w', 're'], ['register']],
    [
      ['miner', ''],
      ['stats', 'explain', 'leave'],
    ],
    [['put', '--pub'], ['--public']],
    [['put', '--part-size', '16M', '--tt'], ['--ttl']],
    [
      ['wallet', 'create', '--words', '2'],
      ['21', '24'],
    ],
  ])('after %j offers %j', (words, expected) =>
    expect(offered(...words)).toEqual(expect.arrayContaining([...expected])),
  );
  it('offers no command after a command that takes a file', () => expect(offered('put', 'wal')).toEqual([]));
});

it.each(SHELLS)('%s: the script names every command and no hidden option', (shell) => {
  const script = completionScript(shell, rootCommand);
  for (const word of ['put', 'unshare', 'register', 'explain', 'doctor']) expect(script).toContain(word);
  expect(script).not.toContain('subtensor.network');
});
