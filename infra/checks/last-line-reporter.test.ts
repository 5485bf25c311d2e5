import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

/** Runs vitest over one test file in a folder of its own; answers its last line and exit code. */
function runVitest(testFile: string): { lastLine: string | undefined; code: number | null } {
  const folder = mkdtempSync(join(tmpdir(), 'filetao-reporter-'));
  try {
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, 'a.test.ts'), `import { it, describe, beforeAll } from 'vitest';\n${testFile}\n`);
    writeFileSync(
      join(folder, 'vitest.config.ts'),
      `import { LastLineReporter } from '${resolve('infra/checks/last-line-reporter.ts')}';
       export default { test: { reporters: [new LastLineReporter()] } };`,
    );
    const run = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run'], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: folder, NO_COLOR: '1' },
    });
    return { lastLine: run.stdout.trimEnd().split('\n').at(-1), code: run.status };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const good = `it('holds', () => {});`;
it.each([
  { id: 'all is well', file: good, lastLine: '1 passed, 0 failed', code: 0 },
  {
    id: 'one is skipped',
    file: `${good} it.skipIf(true)('x', () => {});`,
    lastLine: '1 passed, 0 failed, 1 skipped',
    code: 0,
  },
  { id: 'one fails', file: `${good} it('x', () => { throw 1; });`, lastLine: '1 passed, 1 failed', code: 1 },
  { id: 'a file does not load', file: `throw new Error('no');`, lastLine: '0 passed, 1 failed', code: 1 },
  {
    id: 'a hook fails',
    file: `${good} describe('d', () => { beforeAll(() => { throw 1; }); it('never runs', () => {}); });`,
    lastLine: '1 passed, 1 failed, 1 skipped',
    code: 1,
  },
  {
    id: 'an error comes outside any test',
    file: `it('holds', async () => { setTimeout(() => { throw new Error('late'); }, 1); await new Promise((r) => setTimeout(r, 50)); });`,
    lastLine: '1 passed, 1 failed',
    code: 1,
  },
])('ends with a plain count and the right code when $id', ({ file, lastLine, code }) => {
  expect(runVitest(file)).toEqual({ lastLine, code });
});
