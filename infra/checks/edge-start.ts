/**
 * How long the Worker takes from nothing to its first answer, in workerd itself. Its clock stands still while a script's
 * global scope runs, so time is taken from outside, and what an empty Worker takes is taken off. CPU is the figure that
 * counts: Cloudflare limits it, and a busy machine does not change it much. The least of several runs is reported.
 */
import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { hotkeyOf } from '#shared/primitives/ids.ts';
import type { WorkerModule } from './edge-build.ts';

const RUNS = 5;
/** Linux counts a process's CPU in these (USER_HZ, proc(5)). */
const TICK_MS = 10;
/** Fields of /proc/PID/stat after the command's name: user and system time are the 14th and 15th of all. */
const UTIME_FIELD = 11;
const STIME_FIELD = 12;

const EMPTY: readonly WorkerModule[] = [
  { type: 'ESModule', path: 'worker.js', contents: "export default { fetch: () => new Response('') }" },
];

/** Right in form, so that the first request builds everything; the index it names answers nothing. */
const BINDINGS = {
  UPSTASH_REDIS_REST_URL: 'http://index.test',
  UPSTASH_REDIS_REST_TOKEN: 'token',
  EDGE_HOTKEY_SEED: '11'.repeat(32),
  TENANT_HOTKEY: hotkeyOf(new Uint8Array(32).fill(5)),
  GENESIS_HASH: 'ab'.repeat(32),
  NETUID: '21',
  MASK_SECRETS: `0:${'33'.repeat(32)}`,
  MINER_URL_PATTERN: 'http://{ip-with-dashes}.miners.test:{port}',
};

export interface StartMeasurement {
  /** Of the Worker's process, all threads, above that of an empty Worker's. */
  readonly cpuMs: number;
  readonly firstAnswerMs: number;
  readonly emptyFirstAnswerMs: number;
}

interface Run {
  readonly cpuMs: number;
  readonly wallMs: number;
}

export interface Compatibility {
  readonly date: string;
  readonly flags: readonly string[];
}

export async function measureStart(
  modules: readonly WorkerModule[],
  compatibility: Compatibility,
): Promise<StartMeasurement> {
  const empty: Run[] = [];
  const edge: Run[] = [];
  for (let i = 0; i < RUNS; i++) {
    empty.push(await startOnce(EMPTY, compatibility, 200));
    edge.push(await startOnce(modules, compatibility, 503));
  }
  const least = (runs: readonly Run[], figure: keyof Run) => Math.min(...runs.map((run) => run[figure]));
  return {
    cpuMs: Math.max(0, least(edge, 'cpuMs') - least(empty, 'cpuMs')),
    firstAnswerMs: least(edge, 'wallMs'),
    emptyFirstAnswerMs: least(empty, 'wallMs'),
  };
}

/** @param status what /health answers when the Worker runs as it should: 503 for an edge without its index */
async function startOnce(
  modules: readonly WorkerModule[],
  { date, flags }: Compatibility,
  status: number,
): Promise<Run> {
  const before = new Set(childrenOf(process.pid));
  const startedMs = performance.now();
  const worker = new Miniflare(
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: 0,
      modules: modules.map((module) => ({ ...module })),
      compatibilityDate: date,
      compatibilityFlags: [...flags],
      bindings: BINDINGS,
      outboundService: { node: (_incoming, outgoing) => void outgoing.writeHead(503).end() },
    }),
  );
  try {
    const response = await fetch(`${(await worker.ready).origin}/health`);
    const wallMs = performance.now() - startedMs;
    const text = await response.text();
    if (response.status !== status) throw new Error(`the Worker answers ${response.status}: ${text.slice(0, 300)}`);
    const cpuMs = childrenOf(process.pid)
      .filter((pid) => !before.has(pid))
      .reduce((sum, pid) => sum + cpuOf(pid), 0);
    // Without /proc (macOS) the time on the clock stands for it.
    return { cpuMs: cpuMs || wallMs, wallMs };
  } finally {
    await worker.dispose();
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' '))
      .filter((text) => text.trim() !== '')
      .map(Number);
  } catch {
    return [];
  }
}

function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[UTIME_FIELD]) + Number(fields[STIME_FIELD])) * TICK_MS;
}
