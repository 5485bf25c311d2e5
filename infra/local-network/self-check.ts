/**
 * Does the network do what it is for? A sample of several segments goes in through the edge's HTTP, comes back, and is
 * compared. The sample is the same at every start of one state folder, so that later starts also prove that the files
 * of earlier ones are still there, and the disks do not fill up with samples.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** More than two segments of 4 MiB, and not a round number. */
const SAMPLE_BYTES = 9 * 2 ** 20 + 12_345;
const DEADLINE_MS = 60_000;

export interface SelfCheck {
  readonly cid: string;
  readonly bytes: number;
  readonly storeMs: number;
  readonly fetchMs: number;
  /** False when an earlier start had stored it already. */
  readonly stored: boolean;
}

export class SelfCheckFailed extends Error {
  override readonly name = 'SelfCheckFailed';
}

/** Random to all who do not know the seed. */
function makeSample(seedHex: string): Uint8Array<ArrayBuffer> {
  const key = Buffer.from(seedHex, 'hex');
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  return new Uint8Array(cipher.update(Buffer.alloc(SAMPLE_BYTES)));
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export async function checkNetwork(edgeUrl: string, apiKey: string, seedHex: string): Promise<SelfCheck> {
  const sample = makeSample(seedHex);
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const headers = { authorization: `Bearer ${apiKey}` };

  const storing = performance.now();
  const stored = await patiently(signal, () =>
    fetch(`${edgeUrl}/v1/files`, {
      method: 'PUT',
      body: sample,
      headers: { ...headers, 'filetao-name': 'sample.bin', 'content-type': 'application/octet-stream' },
      signal,
    }),
  );
  const answer = await stored.text();
  if (stored.status !== 200 && stored.status !== 201) throw new SelfCheckFailed(`store: ${stored.status} ${answer}`);
  const storeMs = performance.now() - storing;
  const { cid } = JSON.parse(answer) as { cid: string };

  const fetching = performance.now();
  const fetched = await fetch(`${edgeUrl}/v1/files/${cid}`, { headers, signal });
  if (fetched.status !== 200) throw new SelfCheckFailed(`fetch: ${fetched.status} ${await fetched.text()}`);
  const bytes = new Uint8Array(await fetched.arrayBuffer());
  const fetchMs = performance.now() - fetching;
  if (digest(bytes) !== digest(sample)) throw new SelfCheckFailed('what came back is not what was stored');
  return { cid, bytes: sample.length, storeMs, fetchMs, stored: stored.status === 201 };
}

/** A Worker that has just started may not have its first answers yet: 503 says to come again. */
async function patiently(signal: AbortSignal, request: () => Promise<Response>): Promise<Response> {
  for (;;) {
    const response = await request();
    if (response.status !== 503) return response;
    const text = await response.text();
    await sleep(500, undefined, { signal }).catch(() => {
      throw new SelfCheckFailed(`store: 503 ${text}`);
    });
  }
}
