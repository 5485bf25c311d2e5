import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { toHex } from '#shared/primitives/bytes.ts';
import {
  connect,
  headOf,
  keys,
  makeBlocks,
  NETUID,
  send,
  startChain,
  stopChain,
  surfaceOf,
} from './testing/test-chain.ts';

const MAIN = new URL('./main.ts', import.meta.url).pathname;

describe('a local chain that ends and begins again', () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean();
  });

  it('finds its state, its blocks and its history', async () => {
    const { of } = await keys();
    const first = await startChain();
    const api = await connect(first.url);
    const register = surfaceOf(api).tx('subtensorModule', 'burnedRegister', NETUID, of('Bob').address);
    const { blockHash } = await send({ chain: first, api }, register, of('Alice'));
    makeBlocks(first, 20);
    await api.disconnect();
    const [head, number] = [toHex(first.chain.head.hash), headOf(first)];
    await first.close();

    const second = await startChain({}, [], first.folder);
    cleanups.push(() => stopChain(second));
    expect(second.restored).toBe(true);
    expect([toHex(second.chain.head.hash), headOf(second)]).toEqual([head, number]);
    makeBlocks(second, 1);
    expect(toHex(second.chain.head.header.parentHash)).toBe(head);
    const again = await connect(second.url);
    cleanups.push(() => again.disconnect());
    expect(await surfaceOf(again).read('uids', NETUID, of('Bob').address)).toBe(1);
    expect((await surfaceOf(again).account(of('Alice').address)).nonce).toBe(1);
    const then = await again.at((await again.rpc.chain.getHeader(blockHash)).parentHash);
    expect((await then.query.subtensorModule?.uids?.(NETUID, of('Bob').address))?.toJSON()).toBeNull();
  });

  it('forgets what is older than its history, and says so', async () => {
    const chain = await startChain({}, ['--history', '128']);
    cleanups.push(() => stopChain(chain));
    const api = await connect(chain.url);
    cleanups.push(() => api.disconnect());
    makeBlocks(chain, 10);
    const old = chain.chain.head.hash;
    const at = await api.at(`0x${toHex(old)}`);
    makeBlocks(chain, 300);
    expect(readdirSync(chain.folder).filter((name) => name.endsWith('.log'))).toHaveLength(2);
    await expect(at.query.system?.number?.()).rejects.toThrow('4003');
    expect((await api.rpc.chain.getBlockHash(0)).toHex()).toBe(`0x${toHex(chain.chain.genesisHash)}`);
    await chain.close();
    const again = await startChain({}, ['--history', '128'], chain.folder);
    expect(headOf(again)).toBe(310);
    expect(again.chain.state.has(310 - 64)).toBe(true);
    await again.close();
    // The folder is cleaned by the first; its own close is done.
    cleanups.length = 0;
    await api.disconnect();
    rmSync(chain.folder, { recursive: true, force: true });
  });

  it('cuts off a block that was not written to its end', async () => {
    const first = await startChain();
    makeBlocks(first, 5);
    await first.close();
    const log = join(first.folder, readdirSync(first.folder).find((name) => name.endsWith('.log')) as string);
    const whole = statSync(log).size;
    appendFileSync(log, Uint8Array.of(200, 0, 0, 0, 1, 2, 3));
    const second = await startChain({}, [], first.folder);
    expect(headOf(second)).toBe(5);
    expect(statSync(log).size).toBe(whole);
    makeBlocks(second, 1);
    await stopChain(second);
  });

  it('refuses a folder that another process has, or that holds another subnet', async () => {
    const first = await startChain();
    await first.close();
    await expect(startChain({}, ['--netuid', '5'], first.folder)).rejects.toThrow(/holds netuid 21, not 5/);
    await expect(startChain({}, ['--tempo', '5'], first.folder)).rejects.toThrow(/tempo 12, not 5/);
    rmSync(first.folder, { recursive: true, force: true });
  });

  interface Running {
    readonly child: ChildProcess;
    readonly line: (event: string) => Promise<Record<string, unknown>>;
    readonly ended: Promise<number | null>;
  }
  const start = (folder: string): Running => {
    const args = ['--port', '0', '--dir', folder, '--block-time-ms', '20', '--tempo', '10'];
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    cleanups.push(() => child.kill('SIGKILL'));
    const lines = createInterface({ input: child.stdout });
    const line = (event: string) =>
      new Promise<Record<string, unknown>>((resolve) => {
        lines.on('line', (text) => {
          const fields = JSON.parse(text) as Record<string, unknown>;
          if (fields.event === event) resolve(fields);
        });
      });
    return { child, line, ended: new Promise((resolve) => child.on('exit', (code) => resolve(code))) };
  };

  it('loses no finalized block when it is killed, and ends cleanly when it is asked to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'filetao-chain-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const first = start(folder);
    const api = await connect(String((await first.line('listening')).url));
    cleanups.push(() => api.disconnect());
    const seen = await new Promise<{ number: number; hash: string }>((resolve) => {
      void api.rpc.chain.subscribeFinalizedHeads((header) => {
        if (header.number.toNumber() >= 10) resolve({ number: header.number.toNumber(), hash: header.hash.toHex() });
      });
    });
    first.child.kill('SIGKILL');
    await first.ended;
    await api.disconnect();

    const second = start(folder);
    const stopped = second.line('stopped');
    const listening = await second.line('listening');
    expect(listening.restored).toBe(true);
    expect(Number(listening.block)).toBeGreaterThanOrEqual(seen.number);
    const again = await connect(String(listening.url));
    expect((await again.rpc.chain.getBlockHash(seen.number)).toHex()).toBe(seen.hash);
    await again.disconnect();
    second.child.kill('SIGTERM');
    await stopped;
    expect(await second.ended).toBe(0);
    expect(readdirSync(folder).some((name) => name === 'lock')).toBe(false);
  });
});
