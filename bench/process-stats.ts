/** What the kernel knows of a tree of processes (`/proc`, Linux): CPU seconds spent and memory held. */
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const KIB = 1024;

interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuSeconds: number;
}

function readStat(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name stands in parentheses and may hold anything; the fields after it are counted from its end.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return {
      pid,
      parent: Number(fields[1]),
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    };
  } catch {
    return undefined;
  }
}

/** A process and everything below it. */
export function processTree(root: number): readonly ProcessStat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readStat(Number(name)) ?? []);
  const tree = all.filter(({ pid }) => pid === root);
  for (const known of tree) tree.push(...all.filter(({ parent }) => parent === known.pid));
  return tree;
}

export const cpuSecondsOf = (roots: readonly number[]): number =>
  roots.flatMap(processTree).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);

/**
 * The workerd that runs the Worker, below `wrangler dev`: the busiest of two, of which the other passes requests on.
 * Not the largest process: that is wrangler itself.
 */
export function workerOf(root: number): number {
  const runtimes = processTree(root).filter(({ pid }) =>
    readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('workerd'),
  );
  const [busiest] = runtimes.sort((a, b) => b.cpuSeconds - a.cpuSeconds);
  if (!busiest) throw new Error('no workerd runs');
  return busiest.pid;
}

/** Resident bytes of the largest process of the tree. */
export function residentBytesOf(root: number): number {
  const sizes = processTree(root).map(({ pid }) => {
    try {
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * KIB;
    } catch {
      return 0;
    }
  });
  return Math.max(0, ...sizes);
}

/** Watches the largest process of a tree while `work` runs. */
export async function peakResident<T>(root: number, work: () => Promise<T>): Promise<{ value: T; peakBytes: number }> {
  let peakBytes = residentBytesOf(root);
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, residentBytesOf(root));
  }, 50);
  try {
    return { value: await work(), peakBytes };
  } finally {
    clearInterval(timer);
  }
}
