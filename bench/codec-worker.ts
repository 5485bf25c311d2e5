/**
 * The jobs of `bench/codec.ts` inside workerd. The clock stands still there while it computes, so a request only says
 * how often to run a job, and is timed from outside.
 */
import { createHash } from 'node:crypto';
import kernelModule from '#shared/codec/kernel.wasm';
import { instantiateKernel } from '#shared/codec/wasm-kernel.ts';
import { codecJobs, type Job } from './codec-jobs.ts';

let jobs: readonly Job[] | undefined;

export default {
  fetch(request: Request): Response {
    const query = new URL(request.url).searchParams;
    jobs ??= codecJobs(instantiateKernel(kernelModule), () => createHash('sha256'));
    const job = jobs.find(({ name }) => name === query.get('job'));
    if (!job) return new Response('no such job', { status: 404 });
    const times = Number(query.get('times'));
    for (let i = 0; i < times; i++) job.run();
    return new Response('done');
  },
};
