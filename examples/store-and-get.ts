/**
 * Stores a file so that only its owner can read it, gets it back, lists it, deletes it. In Node 22.18 or newer:
 *   EDGE=http://127.0.0.1:8787 KEY=ftk_… node examples/store-and-get.ts README.md
 */
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import process from 'node:process';
import { createClient } from '#client/create-client.ts';
import { newKeyring } from '#client/keys/keyring.ts';

const { EDGE, KEY } = process.env;
const [path] = process.argv.slice(2);
if (!EDGE || !KEY || !path) throw new Error('EDGE and KEY name the edge and its API key; the argument is a file');

// Keep the keyring: nobody can make it again, and without it nobody can read what it stored.
const keys = await newKeyring((bytes) => crypto.getRandomValues(new Uint8Array(bytes)));
const client = createClient({ url: EDGE, apiKey: KEY, keys });

const name = `${basename(path)}-${Date.now()}`;
const { cid, bytes } = await client.store(createReadStream(path), {
  name,
  ttlSeconds: 3600,
  onProgress: (progress) => process.stderr.write(`\rsent ${progress.bytes} bytes`),
});
console.log(`\nstored   ${bytes} bytes as ${cid}`);

let received = 0;
const file = await client.retrieve(name);
for await (const piece of file.stream) received += piece.length;
// The stream ends with an error unless every byte is right.
console.log(`got back ${received} bytes of ${file.name}, signed by ${file.signer}`);

await client.delete(cid);
console.log(`deleted  ${cid}`);
