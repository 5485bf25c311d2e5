/**
 * Private files over real processes: what a machine stores, another reads from the wallet's phrase alone, the stock age
 * program opens with the wallet's age key, and nothing readable lies on any miner's disk or in the index.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readWhole } from '#client/file-source.ts';
import { walletKeyring, walletSecrets } from '#client/keys/wallet-keys.ts';
import { createNodeClient } from '#client/node-client.ts';
import { restoreFolder, walkFolder } from '#client/node-folder.ts';
import type { LocalNetwork } from '#infra/local-network/local-network.ts';
import { newPhrase, seedOfPhrase } from '#shared/chain/wallet/mnemonic.ts';
import { equalBytes } from '#shared/primitives/bytes.ts';
import { CALM, FEW_MINERS, randomBytes, request, startNetwork } from './network-under-test.ts';

const SMALL_FILES = 2000;
const SECRET = 'readable-by-nobody-else ';

let network: LocalNetwork;
let place: string;
let phrase: string;
beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'filetao-private-'));
  [network, phrase] = await Promise.all([startNetwork({ miners: FEW_MINERS, times: CALM }), newPhrase(12)]);
});
afterAll(async () => {
  await network?.destroy();
  rmSync(place, { recursive: true, force: true });
});

/** What a machine that knows the phrase and the edge's URL, and nothing else, makes of them. */
async function machine() {
  const seed = await seedOfPhrase(phrase);
  if (!seed.ok) throw new Error(seed.failure.message);
  const keys = await walletKeyring(seed.value);
  const { key } = await createNodeClient({ url: network.edgeUrl, keys }).login('test');
  return { seed: seed.value, apiKey: key, client: createNodeClient({ url: network.edgeUrl, apiKey: key, keys }) };
}
const stockAge = spawnSync('age', ['--version']).status === 0;

describe('private files', () => {
  const contents = new Map<string, Uint8Array>([
    ['empty', new Uint8Array()],
    ['one', randomBytes(1)],
    ['Grüße u\u0308 🌱 👩‍👩‍👧.bin', randomBytes(65_536)],
    ['larger', randomBytes(5 * 2 ** 20 + 1)],
    ['by parts', randomBytes(9 * 2 ** 20)],
    ['text', new TextEncoder().encode(SECRET.repeat(5000))],
  ]);

  it('go in on one machine', async () => {
    const { client } = await machine();
    for (const [name, content] of contents) await client.store(content, { name });
  });

  it('come back on another, from the phrase alone', async () => {
    const { client } = await machine();
    const found = new Map<string, Uint8Array>();
    for await (const { cid, name } of client.list()) {
      found.set(name ?? '', await readWhole((await client.retrieve(cid)).stream));
    }
    expect([...found.keys()].sort()).toEqual([...contents.keys()].sort());
    for (const [name, content] of contents) {
      expect(equalBytes(found.get(name) ?? randomBytes(2), content)).toBe(true);
    }
  });

  it.skipIf(!stockAge)('open with the stock age program', async () => {
    const { client, seed, apiKey } = await machine();
    const cid = await client.resolve('larger');
    const edge = { edgeUrl: network.edgeUrl, apiKey };
    const save = async (file: string, path: string) =>
      writeFileSync(join(place, file), new Uint8Array(await (await request(edge, path)).arrayBuffer()));
    await save('envelope.age', `files/${cid}/envelope?part=age`);
    await save('body.age', `files/${cid}`);
    writeFileSync(join(place, 'wallet.key'), `${walletSecrets(seed).x25519}\n`);
    const age = (...args: string[]) => execFileSync('age', args, { cwd: place });
    age('-d', '-i', 'wallet.key', '-o', 'file.key', 'envelope.age');
    age('-d', '-i', 'file.key', '-o', 'file', 'body.age');
    expect(readFileSync(join(place, 'file.key'), 'utf8')).toContain('# name: "larger"');
    expect(equalBytes(readFileSync(join(place, 'file')), contents.get('larger') ?? new Uint8Array())).toBe(true);
  });

  it('show nothing on any disk', () => {
    const places = [...network.miners.map(({ folder }) => folder), network.state.path];
    for (const folder of places) {
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name);
        // Renamed or removed since it was listed: what it became is listed too.
        if (!existsSync(path)) continue;
        const bytes = readFileSync(path);
        for (const text of ['readable-by-nobody', 'by parts', 'AGE-SECRET-KEY', phrase]) {
          expect(bytes.includes(text), `${entry.name} shows "${text}"`).toBe(false);
        }
      }
    }
  });
});

it('a folder of two thousand small files goes in and comes back', { timeout: 120_000 }, async () => {
  const { client } = await machine();
  const from = join(place, 'from');
  execFileSync('mkdir', [from]);
  for (let i = 0; i < SMALL_FILES; i++) writeFileSync(join(from, `${i} ü\u202e🌱`), randomBytes(i % 700));
  const stored = await client.storeTree(walkFolder(from), { name: 'folder' });
  expect(stored.listing.entries).toHaveLength(SMALL_FILES);
  expect((await client.storeTree(walkFolder(from), { name: 'folder' })).sentBytes).toBe(0);
  const to = join(place, 'to');
  expect(await restoreFolder(await (await machine()).client.openTree('folder'), to)).toMatchObject({
    files: SMALL_FILES,
  });
  expect(spawnSync('diff', ['-r', from, to]).status).toBe(0);
});
