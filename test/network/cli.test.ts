/** The command itself, as processes, against a network of processes: what a person would do, on machines of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalNetwork } from '#infra/local-network/local-network.ts';
import { eventually, json, randomBytes, startNetwork } from './network-under-test.ts';

/** Enough for (2, 5) and one to spare. */
const MINERS = 6;
const COMMAND = join(process.cwd(), 'client/cli/filetao.mjs');

let network: LocalNetwork;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'filetao-cli-'));
  network = await startNetwork({ miners: MINERS });
});
afterAll(async () => {
  await network?.destroy();
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A machine of its own: home, working folder, nothing of ours. */
class Machine {
  readonly home: string;
  readonly work: string;

  constructor(name: string) {
    this.home = join(folder, name, 'home');
    this.work = join(folder, name, 'work');
    for (const path of [this.home, this.work]) mkdirSync(path, { recursive: true });
  }

  start(words: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const { PATH = '' } = process.env;
    const edge = { FILETAO_URL: network.edgeUrl, FILETAO_API_KEY: network.apiKey };
    const own = { PATH, HOME: this.home, FILETAO_STATE_DIR: network.state.path };
    return spawn(process.execPath, [COMMAND, ...words], { cwd: this.work, env: { ...own, ...edge, ...env } });
  }

  async run(words: readonly string[], input?: Uint8Array, env?: Readonly<Record<string, string>>): Promise<Ended> {
    const child = this.start(words, env);
    child.stdin?.on('error', () => undefined).end(input ?? '');
    const { stdout, stderr } = child;
    if (!stdout || !stderr) throw new Error('a child without pipes');
    const [out, err, [code]] = await Promise.all([
      readAll(stdout),
      readAll(stderr),
      once(child, 'exit') as Promise<[number | null]>,
    ]);
    return { code, out, err };
  }

  /** Must succeed; its JSON. */
  async json(...words: readonly string[]): Promise<Record<string, unknown>> {
    const { code, out, err } = await this.run([...words, '--json']);
    expect([code, err.replace(/^.*warning: keys for your private files.*\n/m, '')]).toEqual([0, '']);
    return JSON.parse(out);
  }

  write(name: string, bytes: Uint8Array): void {
    writeFileSync(join(this.work, name), bytes);
  }
  read(name: string): Uint8Array {
    return new Uint8Array(readFileSync(join(this.work, name)));
  }
}

/** NFC, as names are kept; what a file system and a shell may trip over, without what the edge refuses. */
const ODD_NAME = 'Grüße 日本 🌱 %41 &?#;$(x) \'"`*~.tar.gz';

describe('files', () => {
  let alice: Machine;
  beforeAll(() => {
    alice = new Machine('alice');
  });

  it('of every size come back as they went in, private, under their own names', async () => {
    // The first put makes the keys.
    alice.write('first', new Uint8Array());
    const first = await alice.run(['put', 'first']);
    expect(first).toMatchObject({ code: 0, err: expect.stringContaining('filetao identity backup') });
    const files = new Map([
      ['empty', new Uint8Array()],
      ['one', new Uint8Array([7])],
      ['64k', randomBytes(65_536)],
      ['5m', randomBytes(5 * 2 ** 20 + 1)],
      [ODD_NAME, randomBytes(1000)],
    ]);
    await Promise.all(
      [...files].map(async ([name, bytes]) => {
        alice.write(name, bytes);
        const put = await alice.json('put', name);
        expect(put).toMatchObject({ name, bytes: bytes.length, private: true });
        const got = await alice.json('get', name, '-o', `${name}.back`);
        expect(got).toMatchObject({ cid: put.cid, bytes: bytes.length });
        expect(alice.read(`${name}.back`)).toEqual(bytes);
      }),
    );
    const { files: listed } = (await alice.json('ls')) as { files: { name?: string; private: boolean }[] };
    for (const name of files.keys()) expect(listed).toContainEqual(expect.objectContaining({ name, private: true }));
    // The edge knows none of the names.
    const atEdge = JSON.stringify(await json(network.tenancies[0] as never, 'files'));
    expect(atEdge).not.toContain('64k');
  });

  it('go through pipes', async () => {
    const bytes = randomBytes(100_000);
    const { code, out } = await alice.run(['put', '-', '--public', '-n', 'piped', '--ttl', '1h'], bytes);
    expect([code, out]).toEqual([0, expect.stringMatching(/^bafkrei[a-z2-7]{52}\n$/)]);
    await alice.json('get', 'piped', '--range', '99990-', '-o', 'tail');
    expect(alice.read('tail')).toEqual(bytes.slice(99_990));
    const { files } = (await alice.json('ls', '--limit', '1')) as { files: { expiresAt: string | null }[] };
    expect(files[0]?.expiresAt).not.toBeNull();
  });

  it('in a directory come back with modes, links and names; what did not change is not sent again', async () => {
    const tree = join(alice.work, 'tree');
    mkdirSync(join(tree, 'sub', 'empty'), { recursive: true });
    writeFileSync(join(tree, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(join(tree, 'sub', ODD_NAME), randomBytes(2000));
    symlinkSync('run.sh', join(tree, 'link'));
    expect(await alice.json('put', 'tree')).toMatchObject({ kind: 'tree', files: 2 });
    expect(await alice.json('get', 'tree', '-o', 'tree.back')).toMatchObject({ files: 2, leftOut: [] });
    expect(readdirSync(join(alice.work, 'tree.back'), { recursive: true }).sort()).toEqual(
      readdirSync(tree, { recursive: true }).sort(),
    );
    writeFileSync(join(tree, 'new'), 'new');
    expect(await alice.json('put', 'tree')).toMatchObject({ files: 3, sentBytes: 3 });
    const one = await alice.run(['get', 'tree', '--path', 'run.sh', '-o', '-']);
    expect(one.out).toBe('#!/bin/sh\n');
  });

  it('that were being stored when the program was killed go on where they were', async () => {
    const bytes = randomBytes(40 * 2 ** 20);
    alice.write('large', bytes);
    const words = ['put', 'large', '--part-size', '4M', '--json'];
    const uploads = join(alice.home, '.local/state/filetao/uploads');
    const session = () => {
      const [id] = existsSync(uploads) ? readdirSync(uploads) : [];
      const file = id && join(uploads, id, 'upload');
      return file && existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
    };
    const child = alice.start(words);
    const upload = await eventually('a session', session, (seen) => seen !== undefined);
    const arrived = async () =>
      ((await json(network.tenancies[0] as never, `uploads/${upload}`)) as { parts: unknown[] }).parts.length;
    const before = await eventually('parts', arrived, (parts) => parts >= 3);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { code, out, err } = await alice.run(words);
    expect([code, err]).toEqual([0, '']);
    const put = JSON.parse(out) as { sentBytes: number };
    expect(put.sentBytes).toBeLessThanOrEqual(bytes.length + 2 ** 20 - before * 4 * 2 ** 20);
    expect(readdirSync(uploads)).toEqual([]);
    await alice.json('get', 'large', '-o', 'large.back');
    expect(Buffer.compare(alice.read('large.back'), bytes)).toBe(0);
  });

  it('are shared with whom they are shared, and nobody else', async () => {
    const bob = new Machine('bob');
    await bob.json('identity', 'new');
    const { recipients } = (await bob.json('identity', 'show')) as { recipients: string[] };
    const { owner } = (await alice.json('identity', 'show')) as { owner: string };
    alice.write('plan', randomBytes(500));
    const { cid } = (await alice.json('put', 'plan')) as { cid: string };
    const get = ['get', cid, '--from', owner, '-o', 'plan'];
    const closed = await bob.run([...get, '--json']);
    expect([closed.code, JSON.parse(closed.err).error.code]).toEqual([4, 'wrong-key']);
    expect(readdirSync(bob.work)).toEqual([]);
    await alice.json('share', 'plan', ...recipients);
    await bob.json(...get);
    expect(bob.read('plan')).toEqual(alice.read('plan'));
    // Whose it is has to be said: a file may come from anyone.
    expect((await bob.run(['get', cid, '-o', 'other'])).code).toBe(6);
    await alice.json('unshare', 'plan', ...recipients);
    expect((await bob.run([...get, '-f'])).code).toBe(4);
  });

  it('with a passphrase open with it alone', async () => {
    alice.write('right', new TextEncoder().encode('correct horse\n'));
    alice.write('letter', randomBytes(100));
    const { cid } = (await alice.json('put', 'letter', '--passphrase-file', 'right')) as { cid: string };
    const carol = new Machine('carol');
    carol.write('right', alice.read('right'));
    expect((await carol.run(['get', cid, '-o', 'x'])).code).toBe(4);
    await carol.json('get', cid, '-o', 'x', '--passphrase-file', 'right');
    expect(carol.read('x')).toEqual(alice.read('letter'));
  });

  it('are all there on a new machine that has the phrase alone', async () => {
    const { phrase } = (await alice.json('identity', 'backup', '--yes')) as { phrase: string };
    const fresh = new Machine('fresh');
    fresh.write('words', new TextEncoder().encode(`${phrase}\n`));
    const recovered = await fresh.json('recover', '--phrase-file', 'words', '--all', 'all');
    expect(recovered.files).toContainEqual(expect.objectContaining({ name: ODD_NAME }));
    expect(recovered.leftOut).toEqual([expect.objectContaining({ name: 'letter', code: 'wrong-key' })]);
    for (const name of ['64k', 'empty', ODD_NAME]) expect(fresh.read(join('all', name))).toEqual(alice.read(name));
    expect(readFileSync(join(fresh.work, 'all', 'tree', 'new'), 'utf8')).toBe('new');
  });

  it('are gone when they were removed, as scripts see by the exit code', async () => {
    await alice.json('rm', 'one', '--wait');
    const { code, err } = await alice.run(['get', 'one', '-o', 'gone', '--json']);
    expect([code, JSON.parse(err).error.code, existsSync(join(alice.work, 'gone'))]).toEqual([3, 'not-found', false]);
  });

  it.each<[string, readonly string[], Readonly<Record<string, string>>, number]>([
    ['a file that is there already', ['get', '64k', '-o', '64k'], {}, 4],
    ['a key that is none', ['ls'], { FILETAO_API_KEY: 'ftk_no' }, 4],
    ['an edge that is away', ['rm', 'x'], { FILETAO_URL: 'http://127.0.0.1:9' }, 5],
    ['a name that is none', ['put', '64k', '-n', '../x'], {}, 2],
  ])('%s: %s', async (_, words, env, exit) => expect((await alice.run(words, undefined, env)).code).toBe(exit));

  it('answer to the original’s spellings', async () => {
    const bytes = randomBytes(300);
    alice.write('old', bytes);
    const names = ['--hash_basepath', 'hashes', '--wallet.path', join(network.state.path, 'wallets')];
    const wallet = ['--wallet.name', 'purse'];
    const stored = await alice.run(['s', 'put', '--filepath', 'old', '--encrypt', ...wallet, ...names]);
    expect(stored.code).toBe(0);
    const { names: listed } = (await alice.json('r', 'list', ...wallet, ...names)) as { names: Record<string, string> };
    const { old: cid = '' } = listed;
    expect(stored.out).toBe(`${cid}\n`);
    await alice.json('retrieve', 'get', '--cid', cid, '--storage_basepath', 'storage', ...wallet, ...names);
    expect(alice.read(join('storage', 'old'))).toEqual(bytes);
  });
});

describe('those who run the network', () => {
  let operator: Machine;
  beforeAll(() => {
    operator = new Machine('operator');
  });
  const wallets = () => ['--wallet.path', join(network.state.path, 'wallets'), '--wallet.name', 'purse'];

  it('log in, make keys, revoke them', async () => {
    const env = { FILETAO_URL: '', FILETAO_API_KEY: '' };
    expect((await operator.run(['login'], undefined, env)).code).toBe(0);
    const { keyId, key } = (await operator.json('key', 'new', 'laptop')) as { keyId: string; key: string };
    expect((await operator.run(['ls'], undefined, { FILETAO_API_KEY: key })).code).toBe(0);
    await operator.json('key', 'revoke', keyId);
    expect((await operator.run(['ls'], undefined, { FILETAO_API_KEY: key })).code).toBe(4);
  });

  it('are told by the doctor that all is well', async () => {
    const { failed, findings } = await operator.json('doctor');
    expect([failed, findings]).toEqual([
      0,
      expect.arrayContaining([expect.objectContaining({ check: 'store and retrieve', state: 'ok' })]),
    ]);
  });

  it('register a hotkey, once, and see it', async () => {
    const hotkey = ['--wallet.hotkey', 'fresh', '--network', 'local'];
    const missing = await operator.run(['wallet', 'register', ...wallets(), ...hotkey, '--yes']);
    expect([missing.code, missing.err]).toEqual([3, expect.stringContaining('filetao wallet create --only hotkey')]);
    await operator.json('wallet', 'create', '--only', 'hotkey', ...wallets(), '--wallet.hotkey', 'fresh');
    const asked = await operator.run(['wallet', 'register', ...wallets(), ...hotkey]);
    expect([asked.code, asked.err]).toEqual([2, expect.stringMatching(/burns .* TAO[\s\S]*--yes/)]);
    const dear = await operator.run(['wallet', 'register', ...wallets(), ...hotkey, '--yes', '--max-cost', '0']);
    expect(dear.code).toBe(4);
    const { uid } = (await operator.json('wallet', 'register', ...wallets(), ...hotkey, '--yes')) as { uid: number };
    expect(await operator.json('wallet', 'register', ...wallets(), ...hotkey, '--yes')).toMatchObject({
      registered: 'before',
      uid,
    });
    const shown = await operator.json('wallet', 'show', ...wallets(), '--network', 'local');
    expect(shown).toMatchObject({
      chain: { registrations: expect.arrayContaining([expect.objectContaining({ uid })]) },
    });
  });

  it('see the network and why a miner stands where it stands', async () => {
    const list = async () => (await operator.run(['network', '--miners', '--json'])).out || '{"miners":[]}';
    const seen = await eventually('miners', list, (text) => JSON.parse(text).miners.length === MINERS);
    const { hotkey } = JSON.parse(seen).miners[0];
    const stats = await operator.run(['m', 'stats', hotkey]);
    expect(stats.out).toMatch(/^Hotkey +Total Successes +Store A\/S .*Storage Limit \(GB\)\n5/);
    expect((await operator.json('miner', 'explain', hotkey)).explanation).not.toEqual([]);
  });

  it('let an edge in for as long as they say', async () => {
    const { hotkey: edge } = (await (await fetch(`${network.edgeUrl}/health`)).json()) as { hotkey: string };
    const validator = ['--wallet.path', join(network.state.path, 'wallets'), '--wallet.name', 'validator'];
    const granted = await operator.json('edge', 'grant', edge, ...validator, '--network', 'local', '--for', '1h');
    expect(granted).toMatchObject({ edge, validator: network.tenancies[0]?.hotkey });
  });

  it('export an audit that holds, and one that was changed does not', async () => {
    const ledger = ['--data-dir', join(network.state.path, 'validator')];
    const { lines } = (await operator.json('audit', 'export', 'rounds', '--no-answers', ...ledger)) as {
      lines: number;
    };
    expect(lines).toBeGreaterThan(1);
    expect(await operator.json('audit', 'verify', 'rounds')).toMatchObject({ verified: true });
    const text = new TextDecoder().decode(operator.read('rounds'));
    operator.write('changed', new TextEncoder().encode(text.split('\n').slice(0, -2).join('\n')));
    expect((await operator.run(['audit', 'verify', 'changed'])).code).toBe(6);
  });
});

describe('the examples', () => {
  const environment = () => ({ PATH: process.env.PATH, EDGE: network.edgeUrl, KEY: network.apiKey });

  it.each([
    ['curl', 'sh', ['examples/store-and-get.sh', 'README.md']],
    ['TypeScript in Node', process.execPath, ['examples/store-and-get.ts', 'README.md']],
  ])('%s stores, gets back, deletes', async (_, program, words) => {
    const child = spawn(program, words, { env: environment() });
    const [out, [code]] = await Promise.all([readAll(child.stdout), once(child, 'exit')]);
    expect([code, out]).toEqual([0, expect.stringMatching(/stored .*\ngot back \d+ bytes.*\ndeleted /)]);
  });

  it('TypeScript in a page: bundled for browsers, without anything of Node', async () => {
    const { outputFiles } = await build({
      entryPoints: ['examples/page/page.ts'],
      bundle: true,
      format: 'esm',
      platform: 'browser',
      write: false,
    });
    const [bundle] = outputFiles;
    expect(bundle?.text).not.toMatch(/from "node:/);
    const page = (await import(
      `data:text/javascript;base64,${Buffer.from(bundle?.contents ?? '').toString('base64')}`
    )) as {
      storeAndReadBack(edge: object, file: Blob, name: string, show: (line: string) => void): Promise<Uint8Array>;
    };
    const bytes = randomBytes(100_000);
    const lines: string[] = [];
    const edge = { url: network.edgeUrl, apiKey: network.apiKey };
    expect(await page.storeAndReadBack(edge, new Blob([bytes]), 'page.bin', (line) => lines.push(line))).toEqual(bytes);
    expect(lines.at(-1)).toBe('read back 100000 bytes of page.bin');
  });
});
