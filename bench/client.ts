/**
 * The library beside the bare edge: one file stored and retrieved by `fetch` alone, by the library as it is, and encrypted;
 * as ratios, and the encryption by itself. A network of real processes on loopback. `node bench/client.ts [MiB]`
 */
import { createHash, randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newIdentity, newKeyring, recipientOf } from '#client/keys/keyring.ts';
import { createNodeClient } from '#client/node-client.ts';
import { openStream, sealStream } from '#client/private/age-box.ts';
import type { TreeSource } from '#client/tree/store-tree.ts';
import { LocalNetwork } from '#infra/local-network/local-network.ts';
import { systemRandom } from '#shared/primitives/effects.ts';

const MIB = 2 ** 20;
const ROUNDS = 3;
const WARM_UP_ROUNDS = 3;
const SMALL_FILES = 2000;
const SMALL_BYTES = 500;

const mib = Number(process.argv.find((argument) => /^\d+$/.test(argument)) ?? 64);
const stateDir = mkdtempSync(join(tmpdir(), 'filetao-bench-'));
const network = await LocalNetwork.start({ stateDir, edgePort: 0, miners: 12 });
const { edgeUrl: url, apiKey } = network;
const headers = { authorization: `Bearer ${apiKey}` };
const keys = await newKeyring(systemRandom);
const client = createNodeClient({ url, apiKey, keys });

const line = (name: string, ms: number, bytes: number, note = ''): void =>
  console.log(`${name.padEnd(34)} ${((1000 * bytes) / MIB / ms).toFixed(1).padStart(8)} MiB/s  ${note}`);
const bytesOf = (count: number): Uint8Array<ArrayBuffer> => randomFillSync(new Uint8Array(count));

async function drain(stream: ReadableStream<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const piece of stream) bytes += piece.length;
  return bytes;
}

/** The middle one of some rounds, in milliseconds. */
async function median(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startedMs = performance.now();
    await work();
    times.push(performance.now() - startedMs);
  }
  return times.sort((a, b) => a - b)[ROUNDS >> 1] ?? 0;
}

const bare = {
  async store(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    const response = await fetch(`${url}/v1/files`, { method: 'PUT', headers, body: bytes });
    if (response.status !== 201) throw new Error(`store: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { cid: string }).cid;
  },
  async retrieve(cid: string): Promise<void> {
    const response = await fetch(`${url}/v1/files/${cid}`, { headers });
    if (!response.ok || !response.body) throw new Error(`retrieve: ${response.status}`);
    await drain(response.body);
  },
};

async function* manyFiles(): AsyncGenerator<TreeSource> {
  for (let i = 0; i < SMALL_FILES; i++) {
    const open = () => new Blob([bytesOf(SMALL_BYTES)]).stream() as ReadableStream<Uint8Array>;
    yield { path: `${i}`, type: 'file', bytes: SMALL_BYTES, mode: 0o644, mtimeMs: 0, open };
  }
}

try {
  const size = mib * MIB;
  for (let round = 0; round < WARM_UP_ROUNDS; round++) await bare.store(bytesOf(size / 4));
  /** The last of the rounds' results, and the middle one of their times. */
  const kept = async (storeOne: () => Promise<string>): Promise<{ cid: string; ms: number }> => {
    let cid = '';
    const ms = await median(async () => {
      cid = await storeOne();
    });
    return { cid, ms };
  };
  const stored = {
    bare: await kept(() => bare.store(bytesOf(size))),
    plain: await kept(async () => (await client.store(bytesOf(size), { plain: true })).cid),
    private: await kept(async () => (await client.store(bytesOf(size))).cid),
  };
  const store = { bare: stored.bare.ms, plain: stored.plain.ms, private: stored.private.ms };
  const retrieve = {
    bare: await median(() => bare.retrieve(stored.bare.cid)),
    plain: await median(async () => drain((await client.retrieve(stored.plain.cid)).stream)),
    private: await median(async () => drain((await client.retrieve(stored.private.cid)).stream)),
  };
  const ratio = (ms: number, floor: number) => `${(ms / floor).toFixed(2)} × the bare edge`;
  console.log(`${mib} MiB, the middle of ${ROUNDS} rounds\n`);
  for (const [what, times] of Object.entries({ store, retrieve })) {
    line(`${what}, bare`, times.bare, size);
    line(`${what}, library, plain`, times.plain, size, ratio(times.plain, times.bare));
    line(`${what}, library, private`, times.private, size, ratio(times.private, times.bare));
  }

  const identity = newIdentity('x25519', systemRandom);
  const content = bytesOf(size);
  const sealed = new Uint8Array(
    await new Response(await sealStream(await recipientOf(identity), new Blob([content]).stream())).arrayBuffer(),
  );
  const encrypt = await median(async () =>
    drain(await sealStream(await recipientOf(identity), new Blob([content]).stream())),
  );
  const decrypt = await median(async () => drain(await openStream(identity, new Blob([sealed]).stream(), 'it')));
  const hash = await median(async () => createHash('sha256').update(content).digest());
  console.log();
  line('age alone, encrypt', encrypt, size);
  line('age alone, decrypt', decrypt, size);
  line('SHA-256 alone', hash, size);

  const startedMs = performance.now();
  const { listing } = await client.storeTree(manyFiles(), { name: 'many' });
  const storedMs = performance.now() - startedMs;
  const tree = await client.openTree('many');
  const files = tree.entries().filter((entry) => entry.type === 'file');
  const readMs = await median(() => tree.read(files, async (_, stream) => void (await drain(stream))));
  console.log(
    `\n${SMALL_FILES} files of ${SMALL_BYTES} bytes: ${listing.bodies.length} bodies, stored in ${storedMs.toFixed(0)} ms, read in ${readMs.toFixed(0)} ms`,
  );
} finally {
  await network.stop();
  rmSync(stateDir, { recursive: true, force: true });
}
