import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { identifyProcess } from '#infra/local-network/process-identity.ts';
import { eventually } from './network-under-test.ts';

let folder: string;
let stateDir: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'filetao-start-'));
  stateDir = join(folder, 'state');
});
interface Run {
  readonly child: ChildProcess;
  readonly code: Promise<number | null>;
  output: string;
}
/** Ended after each test, however it went: the next one wants the folder. */
const runs: Run[] = [];
afterEach(async () => {
  for (const { child, code } of runs.splice(0)) {
    child.kill('SIGTERM');
    await code;
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Two starts of a network in one test. */
const LONG_MS = 150_000;

/** `npm start` without npm. */
function start(env: Readonly<Record<string, string>> = {}): Run {
  const child = spawn(process.execPath, ['infra/start.mjs'], {
    env: { PATH: process.env.PATH, HOME: folder, FILETAO_STATE_DIR: stateDir, FILETAO_EDGE_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const run: Run = { child, output: '', code: once(child, 'exit').then(([code]) => code as number | null) };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      run.output += data;
    });
  }
  runs.push(run);
  return run;
}

const recorded = (): readonly { name: string; pid: number }[] =>
  JSON.parse(readFileSync(join(stateDir, 'processes.json'), 'utf8'));
const alive = (pids: readonly number[]) => pids.filter((pid) => identifyProcess(pid));

/** All processes that descend from these, on Linux. */
async function descendants(pids: readonly number[]): Promise<readonly number[]> {
  const { execFileSync } = await import('node:child_process');
  const table = execFileSync('ps', ['-eo', 'pid=,pgid='], { encoding: 'utf8' });
  const rows = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  return rows.filter(([, group]) => pids.includes(group as number)).map(([pid]) => pid as number);
}

it('says when the port is taken, and leaves nothing running', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const run = start({ FILETAO_EDGE_PORT: String(port) });
  expect(await run.code).toBe(1);
  expect(run.output).toContain(`port ${port} is taken: choose another one with FILETAO_EDGE_PORT`);
  server.close();
});

it.each(['x', '-1', '70000', '1.5'])('refuses %s as a port', async (port) => {
  const run = start({ FILETAO_EDGE_PORT: port });
  expect(await run.code).toBe(1);
  expect(run.output).toContain('FILETAO_EDGE_PORT must be a port number');
});

it('checks itself and ends with 0', async () => {
  const run = start({ FILETAO_EXIT_AFTER_SELF_CHECK: '1' });
  expect([await run.code, run.output]).toEqual([0, expect.stringMatching(/self-check +9\.0 MiB stored in .*, equal/)]);
  expect(recorded()).toEqual([]);
});

const isUp = (run: Run) =>
  eventually(
    'the start',
    () => run.output,
    (output) => output.includes('Ctrl-C stops everything'),
    90_000,
  );

const stays =
  'stays up, has the earlier file, prints lines that work; a second start is refused; killed, all it started ends';
it(stays, { timeout: LONG_MS }, async () => {
  const run = start();
  await isUp(run);
  expect(run.output).toMatch(/self-check +9\.0 MiB found again/);

  const lines = run.output.split('\n').filter((line) => line.trim().startsWith('curl '));
  expect(lines).toHaveLength(2);
  for (const line of lines) {
    const command = `${line.replace('/tmp/sample.bin', join(folder, 'sample.bin'))} -sS -w '\\n%{http_code}'`;
    const curl = spawn('bash', ['-c', command]);
    let answer = '';
    curl.stdout.on('data', (data) => {
      answer += data;
    });
    const [code] = await once(curl, 'exit');
    expect([code, answer.trim().split('\n').at(-1)]).toEqual([0, line.includes('-T') ? '201' : '200']);
  }

  const second = start();
  expect(await second.code).toBe(1);
  expect(second.output).toContain('a network is already running');

  const group = await descendants(recorded().map(({ pid }) => pid));
  expect(group.length).toBeGreaterThan(14);
  run.child.kill('SIGKILL');
  await run.code;
  await eventually(
    'what it started',
    () => alive(group),
    (left) => left.length === 0,
    10_000,
  );
});

it('starts again after it was killed, and Ctrl-C ends every process in five seconds', {
  timeout: LONG_MS,
}, async () => {
  const run = start();
  await isUp(run);
  expect(run.output).toMatch(/self-check +9\.0 MiB found again/);
  const group = await descendants(recorded().map(({ pid }) => pid));
  expect(group.length).toBeGreaterThan(14);
  const sinceMs = Date.now();
  run.child.kill('SIGINT');
  expect(await run.code).toBe(0);
  expect(Date.now() - sinceMs).toBeLessThan(5000);
  expect(alive(group)).toEqual([]);
});

it('can be broken off while it starts', async () => {
  const run = start();
  await eventually(
    'the first children',
    () => run.output,
    (output) => output.includes('starting'),
    30_000,
  );
  await eventually(
    'children',
    () => recorded().length,
    (count) => count > 3,
  );
  const group = await descendants(recorded().map(({ pid }) => pid));
  run.child.kill('SIGTERM');
  expect(await run.code).toBe(1);
  expect(alive(group)).toEqual([]);
});
