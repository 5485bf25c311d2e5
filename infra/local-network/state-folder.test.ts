import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromHex } from '#shared/primitives/bytes.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { hotkeyOf } from '#shared/primitives/ids.ts';
import { genesisHashOf } from './genesis.ts';
import { freePort, isPortFree } from './ports.ts';
import { identifyProcess, type ProcessIdentity } from './process-identity.ts';
import { loadSecrets } from './secrets.ts';
import { StateFolder } from './state-folder.ts';

let path: string;
let open: StateFolder[] = [];
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'filetao-state-')), 'state');
});
afterEach(() => {
  for (const folder of open) folder.close();
  open = [];
  rmSync(join(path, '..'), { recursive: true, force: true });
});
const openFolder = () => {
  const folder = StateFolder.open(path);
  open.push(folder);
  return folder;
};

async function startSleeper(): Promise<ProcessIdentity & { name: string }> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
  await once(child, 'spawn');
  return { name: 'sleeper', ...(identifyProcess(child.pid as number) as ProcessIdentity) };
}

describe('the state folder', () => {
  it('is private, and so is what is written there', () => {
    const folder = openFolder();
    folder.write('a.json', '{}');
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(folder.file('a.json')).mode & 0o777).toBe(0o600);
  });

  it('belongs to one start at a time, and is free again when that one ends', () => {
    const first = openFolder();
    expect(openFolder).toThrow(/already running/);
    first.close();
    openFolder();
  });

  it('is free again when its holder was killed', async () => {
    const script = `import { StateFolder } from '${join(import.meta.dirname, 'state-folder.ts')}';
      StateFolder.open(process.argv[1]); console.log('open'); setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script, path]);
    await once(holder.stdout, 'data');
    expect(openFolder).toThrow(/already running/);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    openFolder();
  });

  it('says which folder cannot be used', () => {
    writeFileSync(path, 'a file');
    expect(openFolder).toThrow(`the state folder ${path} cannot be used`);
  });

  it('ends what an earlier start left running, and nobody else who has such a pid now', async () => {
    const folder = openFolder();
    const [left, stranger] = [await startSleeper(), await startSleeper()];
    folder.recordChildren([left, { ...stranger, startedAt: 'at another time' }]);
    expect(await folder.endLeftovers()).toEqual(['sleeper']);
    expect(identifyProcess(left.pid)).toBeUndefined();
    expect(identifyProcess(stranger.pid)).toBeDefined();
    process.kill(stranger.pid, 'SIGKILL');
  });
});

describe('secrets', () => {
  const keyOf = (seedHex: string) => hotkeyOf(fromHex(seedHex, 32) as Uint8Array);
  const load = (folder: StateFolder, miners: number, tenants: number) =>
    loadSecrets(folder, { miners, tenants }, systemRandom, keyOf);

  it('stay as they were drawn, each its own', () => {
    const folder = openFolder();
    const first = structuredClone(load(folder, 3, 2));
    expect(load(folder, 3, 2)).toEqual(first);
    expect(load(folder, 1, 1)).toEqual(first);
    expect(new Set(first.miners.flatMap(Object.values)).size).toBe(6);
  });

  it('name the chain that their genesis makes', () => {
    const folder = openFolder();
    const { genesisHash, netuid } = load(folder, 2, 1);
    expect(genesisHashOf(folder.readJson('genesis.json'), netuid)).toBe(genesisHash);
  });

  it('are not added to: the chain has begun', () => {
    const folder = openFolder();
    load(folder, 2, 1);
    expect(() => load(folder, 3, 1)).toThrow(/begun with 2 miners and 1 tenants/);
    expect(() => load(folder, 2, 2)).toThrow(/move the folder away/);
  });

  it('of a version without a chain are refused as such', () => {
    const folder = openFolder();
    folder.write('secrets.json', '{"genesisHash":"00","miners":[]}');
    expect(() => load(folder, 1, 1)).toThrow(/of a version without a chain/);
  });

  it.each(['{', '{}', '{"genesisHash":"00"}'])('are not drawn anew when they are damaged: %s', (text) => {
    const folder = openFolder();
    folder.write('secrets.json', text);
    expect(() => load(folder, 1, 1)).toThrow(/is damaged/);
  });
});

describe('ports', () => {
  it('are the wanted one when it is free, else another', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    expect(await isPortFree(port)).toBe(false);
    expect(await freePort(port)).not.toBe(port);
    server.close();
    await once(server, 'close');
    expect(await freePort(port)).toBe(port);
    expect(await freePort(0)).toBeGreaterThan(1023);
  });
});
