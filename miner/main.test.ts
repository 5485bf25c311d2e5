import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { toHex } from '#shared/primitives/bytes.ts';
import { type AnchorId, newOrderId } from '#shared/primitives/ids.ts';
import { SIGNATURE_BYTES } from '#shared/proof/statement.ts';
import { parseStore } from '#shared/proof/store-receipt.ts';
import type { ShardFrame } from '#shared/wire/ports.ts';
import { filesOf } from './testing/conditions.ts';
import { clientOf, grantOf, KEYS, MINER_SEED, makeFolder, NETWORK, randomFrame } from './testing/loopback-miner.ts';
import { send, signedHeaders } from './testing/raw-request.ts';

const MAIN = new URL('./main.ts', import.meta.url).pathname;
const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));
const signal = new AbortController().signal;

const folders: string[] = [];
const children = new Set<ChildProcess>();
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function newFolder() {
  const folder = await makeFolder();
  folders.push(folder);
  await writeFile(join(folder, 'hotkey'), JSON.stringify({ secretSeed: `0x${toHex(MINER_SEED)}` }), { mode: 0o600 });
  return folder;
}

const environmentOf = (folder: string): Record<string, string> => ({
  FILETAO_MINER_DATA_DIR: join(folder, 'data'),
  FILETAO_MINER_PORT: '0',
  FILETAO_MINER_CAPACITY_BYTES: String(2 ** 30),
  FILETAO_MINER_FREE_FLOOR_BYTES: '0',
  FILETAO_MINER_KEY_FILE: join(folder, 'hotkey'),
  FILETAO_GENESIS_HASH: `0x${toHex(NETWORK.genesis)}`,
  FILETAO_NETUID: String(NETWORK.netuid),
  FILETAO_TENANTS: `${KEYS.tenant.hotkey}:500000000,${KEYS.otherTenant.hotkey}`,
});

/** A miner process; rejects with its exit code and stderr when it ends before it listens. */
async function startMiner(environment: Record<string, string>) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN], {
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  void exited.then(() => children.delete(child));
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([
    new Promise<string>((resolve) => lines.once('line', resolve)),
    exited.then(async (code) => Promise.reject(new Error(`exit ${code}: ${errors}`))),
  ]);
  const listening = JSON.parse(first) as { event: string; url: string; hotkey: string };
  return {
    child,
    exited,
    listening,
    peer: { hotkey: KEYS.miner.hotkey, url: listening.url },
    port: Number(new URL(listening.url).port),
  };
}

const seqOf = (signed: Uint8Array) => {
  const parsed = parseStore(NETWORK, signed.subarray(0, signed.length - SIGNATURE_BYTES));
  return parsed.ok ? parsed.value.seq : undefined;
};

describe('the miner program', () => {
  it('says where it listens in its first line, serves, and ends with 0 on SIGTERM', async () => {
    const folder = await newFolder();
    const miner = await startMiner(environmentOf(folder));
    expect(miner.listening).toMatchObject({ event: 'listening', hotkey: KEYS.miner.hotkey });
    const edge = clientOf(KEYS.edge, KEYS.tenant, grantOf());
    const stored = await edge.putShard(miner.peer, newOrderId(random), randomFrame(1000), signal);
    expect(stored.ok).toBe(true);
    const address = { ip: '127.0.0.1', port: miner.port };
    expect(await edge.hello(miner.peer, address, signal)).toEqual({ ok: true, value: undefined });
    miner.child.kill('SIGTERM');
    expect(await miner.exited).toBe(0);
    expect((await filesOf(join(folder, 'data'))).length).toBe(1);
    edge.close();
  });

  it('ends an open stream in good order on SIGINT: what was sent is receipted', async () => {
    const miner = await startMiner(environmentOf(await newFolder()));
    const edge = clientOf(KEYS.edge, KEYS.tenant, grantOf());
    const stream = await edge.openStream(miner.peer, newOrderId(random), 10_000_000, signal);
    if (!stream.ok) throw new Error(stream.failure.message);
    const first = stream.value.send(randomFrame(300_000));
    expect((await first.receipt).ok).toBe(true);
    const idle = connect(miner.port, '127.0.0.1');
    idle.on('error', () => {}); // a reset is a close too
    const closed = new Promise((resolve) => idle.once('close', resolve));
    miner.child.kill('SIGINT');
    expect(await miner.exited).toBe(0);
    await stream.value.finish();
    await closed;
    edge.close();
  });

  it('loses no receipted shard, keeps nothing else and repeats no seq when killed at any moment', async () => {
    const folder = await newFolder();
    const environment = environmentOf(folder);
    const receipted = new Map<AnchorId, { readonly frame: ShardFrame; readonly signed: Uint8Array }>();
    const seqs: (number | undefined)[] = [];
    const edge = clientOf(KEYS.edge, KEYS.tenant, grantOf());
    const rounds = 4;
    for (let round = 0; round < rounds; round++) {
      const miner = await startMiner(environment);
      const keep = (frame: ShardFrame) => (outcome: Awaited<ReturnType<typeof edge.putShard>>) => {
        if (!outcome.ok) return;
        receipted.set(frame.anchorId, { frame, signed: outcome.value.signed });
        seqs.push(seqOf(outcome.value.signed));
      };
      const stream = await edge.openStream(miner.peer, newOrderId(random), 2 ** 28, signal);
      if (!stream.ok) throw new Error(stream.failure.message);
      const answers: Promise<void>[] = [];
      let dead = false;
      const before = receipted.size;
      // Killed after so many receipts, while more frames are in every stage behind them.
      const killAfter = before + 1 + Math.floor(Math.random() * 25);
      const check = () => {
        if (!dead && receipted.size >= killAfter) {
          dead = true;
          miner.child.kill('SIGKILL');
        }
      };
      while (!dead) {
        const frame = randomFrame(32 + Math.floor(Math.random() * 60_000));
        const sent = stream.value.send(frame);
        answers.push(sent.receipt.then(keep(frame)).then(check));
        const single = randomFrame(2000);
        if (answers.length % 5 === 0) {
          answers.push(edge.putShard(miner.peer, newOrderId(random), single, signal).then(keep(single)).then(check));
        }
        await sent.sent;
        if (answers.length % 16 === 0) await Promise.race(answers.slice(-16));
      }
      await miner.exited;
      await Promise.all(answers);
    }
    const miner = await startMiner(environment);
    const shards = [...receipted.values()];
    for (let at = 0; at < shards.length; at += 64) {
      const wanted = shards
        .slice(at, at + 64)
        .map(({ frame }) => ({ anchorId: frame.anchorId, bytes: frame.shard.length }));
      let index = at;
      for await (const shard of edge.readShards(miner.peer, wanted, signal)) {
        expect(shard.ok && Buffer.compare(shard.value, shards[index++]?.frame.shard ?? random(1)) === 0).toBe(true);
      }
      expect(index).toBe(at + wanted.length);
    }
    expect(new Set(seqs).size).toBe(seqs.length);
    // A shard that was committed while its receipt was on its way is there too: its row says so.
    const listed: AnchorId[] = [];
    const tenant = clientOf(KEYS.tenant, KEYS.tenant);
    for (let cursor: string | undefined; ; ) {
      const page = await tenant.listShards(miner.peer, cursor, 1000, signal);
      if (!page.ok) throw new Error(page.failure.message);
      listed.push(...page.value.items.map((item) => item.anchorId));
      cursor = page.value.next;
      if (cursor === undefined) break;
    }
    expect([...(await filesOf(join(folder, 'data')))].sort()).toEqual(listed);
    expect(listed).toEqual(expect.arrayContaining([...receipted.keys()]));
    const health = await tenant.health(miner.peer, signal);
    expect(health.ok && health.value.shards).toBe(listed.length);
    miner.child.kill('SIGTERM');
    expect(await miner.exited).toBe(0);
    edge.close();
    tenant.close();
  });

  it('refuses a request that was signed before it started', async () => {
    const earlier = Date.now();
    const miner = await startMiner(environmentOf(await newFolder()));
    const target = '/v1/shards';
    const headers = signedHeaders({ signer: KEYS.tenant, method: 'GET', target, nowMs: earlier });
    expect(await send(miner.port, { method: 'GET', target, headers })).toMatchObject({ code: 'before-start' });
    miner.child.kill('SIGTERM');
    expect(await miner.exited).toBe(0);
  });
});

describe('a wrong start', () => {
  const startFails = async (folder: string, changes: Record<string, string>) =>
    startMiner({ ...environmentOf(folder), ...changes }).then(
      () => 'started',
      (error: Error) => error.message,
    );

  it.each([
    ['FILETAO_NETUID', '', /^exit 78: FILETAO_NETUID is not set\n$/],
    ['FILETAO_MINER_KEY_FILE', '/nowhere/hotkey', /^exit 78: FILETAO_MINER_KEY_FILE: .*cannot be read/],
    ['FILETAO_MINER_HOST', '203.0.113.1', /^exit 78: FILETAO_MINER_PORT: cannot listen on 203.0.113.1:0/],
  ])('%s=%s is one clear line', async (name, value, line) => {
    expect(await startFails(await newFolder(), { [name]: value })).toMatch(line);
  });

  it('a key file that others can read is refused', async () => {
    const folder = await newFolder();
    await chmod(join(folder, 'hotkey'), 0o644);
    expect(await startFails(folder, {})).toMatch(/^exit 78: FILETAO_MINER_KEY_FILE: .*chmod 600/);
  });

  it('a second miner on the same folder is refused', async () => {
    const folder = await newFolder();
    await mkdir(join(folder, 'data'), { recursive: true });
    const miner = await startMiner(environmentOf(folder));
    expect(await startFails(folder, {})).toMatch(/^exit 78: FILETAO_MINER_DATA_DIR: .*in use by another miner process/);
    miner.child.kill('SIGTERM');
    await miner.exited;
    expect(await readFile(join(folder, 'hotkey'), 'utf8')).toContain('secretSeed');
  });
});
