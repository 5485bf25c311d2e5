/** A miner as an operator runs it, against the local chain: its own process registers and announces it, from its wallet. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { parseGenesis } from '#infra/local-chain/genesis-file.ts';
import { type LocalChain, openLocalChain } from '#infra/local-chain/local-chain.ts';
import { readSettings } from '#infra/local-chain/settings.ts';
import { createRawRpc } from '#shared/chain/raw/raw-rpc.ts';
import { readNeuron } from '#shared/chain/raw/read-neuron.ts';
import { createColdkey, createHotkey } from '#shared/chain/wallet/node-wallets.ts';
import { silentLog, systemRandom } from '#shared/primitives/effects.ts';
import { type Hotkey, hotkeyOf } from '#shared/primitives/ids.ts';

const MINER = fileURLToPath(new URL('../../miner/main.ts', import.meta.url));
const NETUID = 21;
const VALIDATOR = hotkeyOf(new Uint8Array(32).fill(9));

let folder: string;
let chain: LocalChain;
let coldkey: Hotkey;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'filetao-joins-'));
  const place = { root: join(folder, 'wallets'), wallet: 'mine' };
  const made = [
    await createColdkey(place, { random: systemRandom }),
    await createHotkey({ ...place, hotkey: 'first' }, { random: systemRandom }),
    await createHotkey({ ...place, hotkey: 'second' }, { random: systemRandom }),
  ];
  if (!made[0]?.ok || made.some((key) => !key.ok)) throw new Error('no wallet');
  coldkey = made[0].value.address;
  const flags = [
    '--port',
    '0',
    '--dir',
    join(folder, 'chain'),
    '--block-time-ms',
    '100',
    '--finality-lag',
    '0',
    '--local-axons',
  ];
  const settings = readSettings(flags, {});
  const genesis = {
    owner: { coldkey: VALIDATOR, hotkey: VALIDATOR },
    balances: { [coldkey]: 1 },
    neurons: [{ hotkey: VALIDATOR, coldkey: VALIDATOR, stake: 5000 }],
  };
  chain = await openLocalChain(settings, () => parseGenesis(genesis, NETUID, settings.tempo), silentLog);
});
afterAll(async () => {
  await chain?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  readonly code: Promise<number | null>;
  readonly lines: Record<string, unknown>[];
  readonly errors: string[];
  /** Resolves with the line of this event, or with what ended it. */
  until(event: string): Promise<Record<string, unknown> | number | null>;
}
const runs: Run[] = [];
afterEach(async () => {
  for (const { child, code } of runs.splice(0)) {
    child.kill('SIGTERM');
    await code;
  }
});

function startMiner(env: Readonly<Record<string, string>>): Run {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MINER], {
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      BT_WALLETS_PATH: join(folder, 'wallets'),
      FILETAO_WALLET: 'mine',
      FILETAO_HOTKEY: 'first',
      FILETAO_MINER_DATA_DIR: join(folder, 'data'),
      FILETAO_MINER_PORT: '0',
      FILETAO_MINER_CAPACITY_BYTES: '1000000',
      FILETAO_SUBTENSOR: chain.url,
      FILETAO_NETUID: String(NETUID),
      FILETAO_CHAIN_EVERY_MS: '200',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const code = once(child, 'exit').then(([status]) => status as number | null);
  const run: Run = {
    child,
    code,
    lines: [],
    errors: [],
    until: (event) => {
      const seen = run.lines.find((line) => line.event === event);
      if (seen) return Promise.resolve(seen);
      const heard = new Promise<Record<string, unknown>>((resolve) => {
        child.on('line', (line: Record<string, unknown>) => line.event === event && resolve(line));
      });
      return Promise.race([heard, code]);
    },
  };
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Record<string, unknown>;
    run.lines.push(line);
    child.emit('line', line);
  });
  createInterface({ input: child.stderr }).on('line', (text) => run.errors.push(text));
  runs.push(run);
  return run;
}

const neuron = async (hotkey: string) => {
  const read = await readNeuron(createRawRpc({ endpoint: chain.url, fetch }), NETUID, hotkey as Hotkey);
  if (!read.ok) throw new Error(read.failure.message);
  return read.value;
};

it('a hotkey that is not registered is told what to do, and nothing is paid', async () => {
  const run = startMiner({});
  expect(await run.code).toBe(78);
  expect(run.errors).toEqual([
    expect.stringMatching(/^hotkey 5\w+ is not registered in subnet 21: filetao wallet register --netuid 21/),
  ]);
});

it('registers, announces where it listens, and takes the validators with permit and stake for tenants', {
  // Two processes start, one of them with the whole library.
  timeout: 150_000,
}, async () => {
  const run = startMiner({ FILETAO_REGISTER_AT_MOST: '0.5' });
  const listening = await run.until('listening');
  const announced = await run.until('announced');
  expect(announced).toMatchObject({ registered: 'now', axon: 'served' });
  const { url, hotkey } = listening as { url: string; hotkey: string };
  expect((await neuron(hotkey))?.axon).toMatchObject({ ip: '127.0.0.1', port: Number(new URL(url).port), version: 1 });
  const view = JSON.parse(readFileSync(join(folder, 'data', 'chain.json'), 'utf8'));
  expect(view.tenants).toMatchObject([{ hotkey: VALIDATOR, current: true }]);

  // A second start at the same port announces nothing, and needs no chain.
  run.child.kill('SIGTERM');
  expect(await run.code).toBe(0);
  const again = startMiner({ FILETAO_MINER_PORT: new URL(url).port, FILETAO_SUBTENSOR: chain.url });
  expect(await again.until('listening')).toMatchObject({ hotkey });
  expect(again.lines.map((line) => line.event)).not.toContain('announced');
  again.child.kill('SIGTERM');
  await again.code;
  const alone = startMiner({ FILETAO_SUBTENSOR: 'ws://127.0.0.1:9', FILETAO_ANNOUNCE: 'elsewhere' });
  expect(await alone.until('chain-away')).toMatchObject({ known: true });
  expect(await alone.until('listening')).toMatchObject({ hotkey });
});

it('refuses the folder’s view of another chain', async () => {
  const run = startMiner({ FILETAO_GENESIS_HASH: `0x${'ab'.repeat(32)}` });
  expect(await run.code).toBe(78);
  expect(run.errors.join()).toMatch(/this node's chain is 0x[0-9a-f]{64}, not 0xabab/);
});
