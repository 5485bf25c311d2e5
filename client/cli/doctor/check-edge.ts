/** The edge, really used: its health, its clock, the key, and a small file there and back. */
import { randomBytes } from 'node:crypto';
import { createClient } from '#client/create-client.ts';
import { readAccount } from '#client/edge-files.ts';
import { readWhole } from '#client/file-source.ts';
import { nodeSha256 } from '#client/node-client.ts';
import { equalBytes } from '#shared/primitives/bytes.ts';
import { asFailed } from '../command-failed.ts';
import { connectionTo } from '../settings/connection.ts';
import type { EdgeChoice } from '../settings/edge-choice.ts';
import { formatBytes } from '../terminal/units.ts';
import type { Finding } from './finding.ts';

/** Signed requests and logins hold within a minute. */
const SKEW_FAILED_MS = 30_000;
const SKEW_WARNING_MS = 5_000;
const HEALTH_TIMEOUT_MS = 10_000;
const SAMPLE_BYTES = 4096;
/** Should deleting it fail, it goes by itself. */
const SAMPLE_TTL_SECONDS = 3600;

interface Health {
  readonly status?: string;
  readonly index?: { readonly reachable?: boolean };
  readonly miners?: { readonly known?: number; readonly accepting?: number };
  readonly grant?: { readonly state?: string };
  readonly maskSecret?: { readonly state?: string };
}

/** What a health answer says that keeps the edge from its work. Pure. */
export function judgeHealth(health: Health): Finding {
  const { index, miners, grant, maskSecret } = health;
  const check = 'edge health';
  const found = (seen: string, mend: string): Finding => ({ check, state: 'failed', seen, mend });
  if (index?.reachable === false)
    return found(
      'its index cannot be reached',
      'the operator: start the index, check UPSTASH_REDIS_REST_URL and its token',
    );
  if (grant?.state !== 'valid') {
    return found(
      `its grant is ${grant?.state ?? 'unknown'}`,
      'the operator of the validator: filetao edge grant HOTKEY (docs/run-an-edge.md)',
    );
  }
  if (maskSecret?.state === 'wrong')
    return found('its mask secret is not the one that files were stored with', 'the operator: restore MASK_SECRETS');
  if ((miners?.accepting ?? 0) === 0)
    return found('no miner takes files', 'wait until miners are up, registered and reachable');
  const seen = `ok, ${miners?.accepting} of ${miners?.known} miners take files`;
  return health.status === 'ok' ? { check, state: 'ok', seen } : found(`${health.status}`, 'ask its operator');
}

/** @param skewMs edge's clock minus ours, the half of the round trip taken off. Pure. */
export function judgeClock(skewMs: number): Finding {
  const check = 'clock';
  const off = Math.abs(skewMs);
  const seen =
    off < 1000 ? 'agrees with the edge' : `${Math.round(off / 1000)} s ${skewMs > 0 ? 'behind' : 'ahead of'} the edge`;
  const mend = 'set it by network time: sudo timedatectl set-ntp true';
  if (off >= SKEW_FAILED_MS) return { check, state: 'failed', seen, mend };
  return off >= SKEW_WARNING_MS ? { check, state: 'warning', seen, mend } : { check, state: 'ok', seen };
}

export async function checkEdge(choice: EdgeChoice, store: boolean, signal: AbortSignal): Promise<readonly Finding[]> {
  const { url, apiKey } = choice;
  const sentMs = Date.now();
  let response: Response;
  try {
    response = await fetch(`${url}/health`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(HEALTH_TIMEOUT_MS)]),
      redirect: 'manual',
    });
  } catch (error) {
    signal.throwIfAborted();
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    const mend = `is ${url} right, and does a proxy or firewall stand between? Locally: npm start`;
    return [{ check: 'edge', state: 'failed', seen: `${url} does not answer: ${cause}`, mend }];
  }
  const gotMs = Date.now();
  const date = Date.parse(response.headers.get('Date') ?? '');
  const health = (await response.json().catch(() => undefined)) as Health | undefined;
  if (typeof health?.status !== 'string') {
    const seen = `${url} answers ${response.status}, but not as an edge does`;
    return [
      { check: 'edge', state: 'failed', seen, mend: 'check the URL: it is that of the edge, without a path behind it' },
    ];
  }
  const findings: Finding[] = [
    { check: 'edge', state: 'ok', seen: `${url} answers in ${gotMs - sentMs} ms` },
    judgeHealth(health),
  ];
  // The header counts whole seconds: half of one is its middle.
  const dated = Number.isFinite(date);
  if (dated) findings.push(judgeClock(date + 500 - (sentMs + gotMs) / 2));
  if (apiKey === undefined) {
    findings.push({
      check: 'API key',
      state: 'failed',
      seen: `there is none for ${url}`,
      mend: `filetao login ${url}`,
    });
    return findings;
  }
  const key = await checkKey(url, apiKey, signal);
  findings.push(key);
  if (key.state === 'failed') return findings;
  if (store) findings.push(...(await checkStore(url, apiKey, !dated, signal)));
  else findings.push({ check: 'store and retrieve', state: 'skipped', seen: '--no-store' });
  return findings;
}

async function checkKey(url: string, apiKey: string, signal: AbortSignal): Promise<Finding> {
  const check = 'API key';
  try {
    const { bytes, quotaBytes, freeBytes } = await readAccount(connectionTo(url, apiKey), signal);
    const seen = `valid; ${formatBytes(bytes)} of ${formatBytes(quotaBytes)} used`;
    const full =
      freeBytes === 0 ? { state: 'warning' as const, mend: 'filetao rm makes room' } : { state: 'ok' as const };
    return { check, seen, ...full };
  } catch (error) {
    signal.throwIfAborted();
    return { check, state: 'failed', seen: asFailed(error).message, mend: `filetao login ${url}` };
  }
}

/** @param clock look at the clock, too: by the time that the edge says it stored the sample at */
async function checkStore(
  url: string,
  apiKey: string,
  clock: boolean,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const check = 'store and retrieve';
  const client = createClient({ url, apiKey, newDigest: nodeSha256 });
  const bytes = new Uint8Array(randomBytes(SAMPLE_BYTES));
  const [sinceMs, sentMs] = [performance.now(), Date.now()];
  try {
    const { cid, file } = await client.store(bytes, { plain: true, ttlSeconds: SAMPLE_TTL_SECONDS, signal });
    const storedMs = performance.now();
    const skew = Date.parse(file.createdAt) - (sentMs + Date.now()) / 2;
    const { stream } = await client.retrieve(cid, { signal });
    const same = equalBytes(await readWhole(stream), bytes);
    const readMs = performance.now();
    await client.delete(cid, signal);
    const times = `stored in ${Math.round(storedMs - sinceMs)} ms, read back in ${Math.round(readMs - storedMs)} ms`;
    const seen = `${SAMPLE_BYTES} random bytes ${times}`;
    const findings: Finding[] = clock ? [judgeClock(skew)] : [];
    findings.push(
      same
        ? { check, state: 'ok', seen: `${seen}, equal, deleted` }
        : { check, state: 'failed', seen: `${seen}: not equal`, mend: 'tell the operator' },
    );
    return findings;
  } catch (error) {
    signal.throwIfAborted();
    const { code, message } = asFailed(error);
    return [{ check, state: 'failed', seen: `${message} (${code})`, mend: 'the lines above may say why' }];
  }
}
