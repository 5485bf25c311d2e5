/**
 * The same in a page: a file that a person chooses is encrypted in the browser, stored, and read back. Bundle it with
 *   esbuild examples/page/page.ts --bundle --format=esm --outfile=examples/page/page.js
 * and open `index.html` over HTTP from an origin that the edge allows (`docs/run-an-edge.md`).
 */
import { createClient } from '#client/create-client.ts';
import { newKeyring } from '#client/keys/keyring.ts';

export interface Edge {
  readonly url: string;
  readonly apiKey: string;
}

/** Stores a file privately and reads it back. The keyring is the page's to keep: in IndexedDB, or made of a wallet. */
export async function storeAndReadBack(
  edge: Edge,
  file: Blob,
  name: string,
  show: (line: string) => void,
): Promise<Uint8Array> {
  const keys = await newKeyring((bytes) => crypto.getRandomValues(new Uint8Array(bytes)));
  const client = createClient({ ...edge, keys });
  const { cid } = await client.store(file, {
    name,
    contentType: file.type || undefined,
    ttlSeconds: 3600,
    onProgress: ({ bytes, totalBytes }) => show(`sent ${bytes} of ${totalBytes ?? '?'} bytes`),
  });
  show(`stored as ${cid}: the edge knows neither its content nor its name`);
  const stored = await client.retrieve(cid);
  const bytes = new Uint8Array(
    await new Response(stored.stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer(),
  );
  show(`read back ${bytes.length} bytes of ${stored.name}`);
  return bytes;
}
