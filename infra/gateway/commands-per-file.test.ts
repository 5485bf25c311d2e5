/** What storing a file costs in commands of the index, which hosted plans price: two a segment, and ten. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createIndex, type Index } from '#shared/index/redis-index.ts';
import { silentLog } from '#shared/primitives/effects.ts';
import { newFile, storeFile } from '#shared/testing/index-files.ts';
import { openEmbeddedEngine } from './embedded/embedded-engine.ts';
import type { Command, Engine } from './engine.ts';
import { type Gateway, openGateway } from './gateway.ts';

const TOKEN = 'token-of-a-test';
let engine: Engine;
let gateway: Gateway;
let index: Index;
let seen: string[] = [];

beforeAll(async () => {
  const embedded = openEmbeddedEngine(':memory:');
  engine = {
    run: (batch: readonly Command[], atomic) => {
      seen.push(...batch.map(({ name }) => name));
      return embedded.run(batch, atomic);
    },
    close: () => embedded.close(),
  };
  gateway = await openGateway({ engine, tokens: { tenant: TOKEN }, log: silentLog, port: 0 });
  index = createIndex({ url: gateway.url, token: TOKEN });
  // The first file takes a block of numbers for the next thousand.
  await storeFile(index.files, newFile(Date.now()));
});
afterAll(async () => {
  await gateway?.close();
  await engine?.close();
});

const expiring = { expiresAtMs: Date.now() + 3600_000 };
const named = { name: 'photo.jpg', contentType: 'image/jpeg' };

it.each([
  ['without name or expiry', 1, {}, 9],
  ['that expires', 1, expiring, 10],
  ['with a name and a type', 1, named, 10],
  ['with a name and a type that expires', 1, { ...expiring, ...named }, 11],
  ['of 16 segments with a name and a type that expires', 16, { ...expiring, ...named }, 12],
])('a file %s is stored in as many commands, receipts besides', async (_, segments, change, commands) => {
  const file = newFile(Date.now(), { segments, segmentBytes: 4096, bytes: segments * 4096 - 1, ...change });
  seen = [];
  await storeFile(index.files, file);
  expect(seen).toHaveLength(commands);
  // One more a segment hands its receipts over.
  expect(commands + segments).toBeLessThanOrEqual(2 * segments + 10);
});
