/** The program behind `filetao.mjs`: this process's words, streams and signals, and its exit code. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { EXIT } from './exit-codes.ts';
import { runCommandLine } from './run-command-line.ts';

const packageFile = new URL('../../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // Asked twice: at once.
    if (interrupted.signal.aborted) process.exit(EXIT.interrupted);
    interrupted.abort(new Error('interrupted'));
  });
}
// `filetao ls | head`: nobody reads any more, which is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
});

const { env: environment, stdin, stdout, stderr } = process;
const streams = { environment, stdin, stdout, stderr, version, workingFolder: process.cwd() };
const code = await runCommandLine(process.argv.slice(2), { ...streams, signal: interrupted.signal });
// What was written must be out before the end.
await new Promise<void>((done) => stdout.write('', () => done()));
process.exit(code);
