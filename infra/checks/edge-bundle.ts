/**
 * `npm run check:bundle`: what `wrangler deploy --env production` would upload, built without a login, measured against
 * Cloudflare's limits and our own, and started in the production runtime. `.ci/run` runs it: a dependency that makes the
 * Worker large, or slow to start, is seen the day it comes.
 */
import process from 'node:process';
import { buildEdge, largestInputs } from './edge-build.ts';
import { measureStart } from './edge-start.ts';

/** Issue 3; Cloudflare takes 64 MiB, but every isolate anywhere begins with reading this. */
const MAX_GZIP_BYTES = 1_000_000;
/**
 * CPU from nothing to the first answer, above that of an empty Worker. Cloudflare refuses a script whose global scope
 * takes longer than 1 s (Workers limits, "Worker startup time"; 400 ms until October 2025).
 */
const MAX_START_CPU_MS = 400;
const SHOWN_INPUTS = 5;

const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;
const ms = (value: number) => `${value.toFixed(0)} ms`;
const say = (line: string) => process.stdout.write(`${line}\n`);

const build = await buildEdge();
say(`edge bundle: ${kib(build.bytes)}, gzipped ${kib(build.gzipBytes)} of ${kib(MAX_GZIP_BYTES)}`);
for (const { path, bytes } of largestInputs(build.metafile, SHOWN_INPUTS)) say(`  ${kib(bytes).padStart(10)}  ${path}`);

const start = await measureStart(build.modules, build.compatibility);
say(
  `edge start: ${ms(start.cpuMs)} of ${MAX_START_CPU_MS} ms CPU above an empty Worker’s; ` +
    `first answer after ${ms(start.firstAnswerMs)}, an empty Worker’s after ${ms(start.emptyFirstAnswerMs)}`,
);

const complaints = [
  ...(build.gzipBytes > MAX_GZIP_BYTES ? ['the bundle is too large'] : []),
  ...(start.cpuMs > MAX_START_CPU_MS ? ['the Worker takes too long to start'] : []),
];
for (const complaint of complaints) process.stderr.write(`check:bundle: ${complaint}\n`);
process.exit(complaints.length > 0 ? 1 : 0);
