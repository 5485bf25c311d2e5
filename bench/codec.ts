/**
 * `node bench/codec.ts`: speed of the codec on one core, in Node and in workerd, in MB/s of input beside a floor from
 * the same run. Best of several tries, for the machine may be busy with something else.
 */
import { createHash } from 'node:crypto';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { startBareWorker } from '#shared/codec/testing/start-bare-worker.ts';
import { codecJobs, type Job } from './codec-jobs.ts';

const TRIES = 7;
/** Long enough that a request's own cost is lost in it. */
const TRY_MS = 80;
/** Far more than any try takes: a Worker that did not start must not hold the benchmark up. */
const ANSWER_MS = 30_000;

/** Runs a job so many times. */
type Runner = (job: Job, times: number) => Promise<void>;

/** The best speed of a job, MB/s. */
async function speedOf(job: Job, run: Runner): Promise<number> {
  const timed = async (times: number): Promise<number> => {
    const start = performance.now();
    await run(job, times);
    return performance.now() - start;
  };
  // The first runs also compile the job; the second measure says how many make a try.
  await timed(10);
  const times = Math.max(1, Math.ceil((TRY_MS * 10) / (await timed(10))));
  let best = Number.POSITIVE_INFINITY;
  let idle = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TRIES; i++) {
    best = Math.min(best, await timed(times));
    idle = Math.min(idle, await timed(0));
  }
  return (job.bytes * times) / (best - idle) / 1000;
}

const jobs = codecJobs(loadNodeKernel(), () => createHash('sha256'));
const inNode: Runner = async (job, times) => {
  for (let i = 0; i < times; i++) job.run();
};

const worker = await startBareWorker(new URL('./codec-worker.ts', import.meta.url));
try {
  const inWorkerd: Runner = async (job, times) => {
    const answer = await fetch(new URL(`/?job=${encodeURIComponent(job.name)}&times=${times}`, worker.url), {
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if ((await answer.text()) !== 'done') throw new Error(`the Worker answered ${answer.status} to ${job.name}`);
  };
  const speeds = new Map<string, readonly [number, number]>();
  for (const job of jobs) speeds.set(job.name, [await speedOf(job, inNode), await speedOf(job, inWorkerd)]);

  const row = (...cells: string[]) =>
    console.log(cells.map((cell, i) => (i ? cell.padStart(16) : cell.padEnd(44))).join(''));
  row('MB/s of input, one core', 'Node', 'of floor', 'workerd', 'of floor');
  for (const { name, floor } of jobs) {
    const [node, workerd] = speeds.get(name) ?? [0, 0];
    const [nodeFloor, workerdFloor] = speeds.get(floor) ?? [0, 0];
    const ratio = (speed: number, of: number) => (of ? (speed / of).toFixed(3) : 'floor');
    row(name, node.toFixed(0), ratio(node, nodeFloor), workerd.toFixed(0), ratio(workerd, workerdFloor));
  }
} finally {
  await worker.stop();
}
