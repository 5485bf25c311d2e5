import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Child, type ChildSpec } from './child.ts';
import { identifyProcess, isAlive } from './process-identity.ts';
import { Supervised } from './supervised.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'filetao-child-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A child that runs this JavaScript. */
function specOf(script: string): ChildSpec<number> {
  const file = join(folder, 'script.mjs');
  writeFileSync(file, script);
  return {
    name: 'script',
    args: [file],
    env: {},
    cwd: folder,
    logFile: join(folder, 'logs', 'script.log'),
    ready: (message) => (message as { pid?: number } | undefined)?.pid,
  };
}

const STAYS = `setInterval(() => {}, 1000); console.log(JSON.stringify({ pid: process.pid }));`;
/** Starts a process of its own that heeds no SIGTERM, and says which. */
const WITH_GRANDCHILD = `
  import { spawn } from 'node:child_process';
  process.on('SIGTERM', () => {});
  const child = spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); console.log(1); setInterval(() => {}, 1000)"]);
  child.stdout.once('data', () => process.send({ pid: child.pid }));
`;

async function gone(pid: number): Promise<boolean> {
  for (const deadline = Date.now() + 8000; Date.now() < deadline; ) {
    if (!identifyProcess(pid)) return true;
    await new Promise((wake) => setTimeout(wake, 20));
  }
  return false;
}

describe('a child', () => {
  it('is ready when it says so, in its log or to its parent, and leaves its output in the log', async () => {
    const child = await Child.start(specOf(STAYS));
    expect(child.ready).toBe(child.pid);
    expect(isAlive(child.identity)).toBe(true);
    await child.stop(1000);
    expect(isAlive(child.identity)).toBe(false);
    expect(readFileSync(join(folder, 'logs', 'script.log'), 'utf8')).toContain(`{"pid":${child.pid}}`);
  });

  it('that ends before it is ready is a failure that shows its last words', async () => {
    const start = Child.start(specOf(`console.error('no such port'); process.exit(3);`));
    await expect(start).rejects.toThrow(/script: exit code 3\nno such port\n\(log: /);
  });

  it('is ended with all it started, even what heeds no SIGTERM', async () => {
    const child = await Child.start(specOf(WITH_GRANDCHILD));
    const sinceMs = Date.now();
    await child.stop(300);
    expect(await gone(child.ready)).toBe(true);
    expect(Date.now() - sinceMs).toBeLessThan(5000);
  });

  it('does not see the environment of its parent', async () => {
    process.env.FILETAO_SECRET_OF_TEST = 'x';
    const script = `console.log(JSON.stringify({ pid: process.env.FILETAO_SECRET_OF_TEST ? -1 : process.pid })); setInterval(() => {}, 1000);`;
    const child = await Child.start(specOf(script));
    delete process.env.FILETAO_SECRET_OF_TEST;
    expect(child.ready).toBe(child.pid);
    await child.kill();
  });

  it('ends, with all it started, when its parent is killed', async () => {
    const spec = specOf(WITH_GRANDCHILD);
    const parent = join(folder, 'parent.mts');
    writeFileSync(
      parent,
      `import { Child } from '${join(import.meta.dirname, 'child.ts')}';
       const spec = { ...${JSON.stringify(spec)}, ready: (message) => message?.pid };
       const child = await Child.start(spec);
       process.send({ pid: child.pid, grandchild: child.ready });`,
    );
    const outer = await Child.start({
      ...spec,
      args: [parent],
      ready: (message) => {
        const { pid, grandchild } = (message ?? {}) as { pid?: number; grandchild?: number };
        return pid !== undefined && grandchild !== undefined ? ([pid, grandchild] as const) : undefined;
      },
    });
    const [child, grandchild] = outer.ready;
    process.kill(outer.pid, 'SIGKILL');
    expect([await gone(child), await gone(grandchild)]).toEqual([true, true]);
  });
});

describe('a supervised child', () => {
  const watch = () => {
    const said: string[] = [];
    let restarted = () => {};
    const restart = new Promise<void>((resolve) => {
      restarted = resolve;
    });
    const supervision = {
      onSpawn() {},
      onEnd() {},
      onRestart: restarted,
      say: (line: string): void => void said.push(line),
    };
    return { said, restart, supervision };
  };

  it('comes back when it dies, and not when it was taken down', async () => {
    const { said, restart, supervision } = watch();
    const run = new Supervised(async () => specOf(STAYS), supervision);
    await run.up();
    const first = run.child.pid;
    process.kill(first, 'SIGKILL');
    await restart;
    expect(run.child.pid).not.toBe(first);
    expect(said).toEqual(['script died (ended by SIGKILL); it is started again', 'script is back']);
    await run.down();
    expect(run.isUp).toBe(false);
    await run.up();
    await run.crash();
    expect(run.isUp).toBe(false);
    expect(said).toHaveLength(2);
  });

  it('ends at once while it waits to come back', async () => {
    const { said, supervision } = watch();
    const died = new Promise<void>((resolve) => {
      supervision.say = (line) => {
        said.push(line);
        resolve();
      };
    });
    const run = new Supervised(async () => specOf(STAYS), supervision);
    await run.up();
    process.kill(run.child.pid, 'SIGKILL');
    await died;
    await run.down();
    expect(run.isUp).toBe(false);
  });
});
