/**
 * `filetao run miner|validator|api|local`: starts the program itself, with this terminal and this environment, and ends
 * as it ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { CommandFailed } from '../command-failed.ts';
import type { Cli, Run } from '../command-spec.ts';
import { EXIT } from '../exit-codes.ts';
import { parseCount } from '../given.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

async function runProgram(cli: Cli, file: string, args: readonly string[] = []): Promise<void> {
  const flags = ['--disable-warning=ExperimentalWarning', `${ROOT}${file}`, ...args];
  const child = spawn(process.execPath, flags, { stdio: 'inherit', cwd: cli.workingFolder });
  await ended(cli, child, file);
}

/** A Ctrl-C reaches the program through its terminal; a signal to us alone is passed on. */
async function ended(cli: Cli, child: ChildProcess, what: string): Promise<void> {
  const pass = () => child.kill('SIGTERM');
  cli.signal.addEventListener('abort', pass, { once: true });
  const [code] = (await once(child, 'exit')) as [number | null];
  cli.signal.removeEventListener('abort', pass);
  if (code === 0) return;
  if (cli.signal.aborted) return;
  throw new CommandFailed('program-failed', `${what} ended with ${code ?? 'a signal'}`, EXIT.failed);
}

export const runMiner: Run = (cli) => runProgram(cli, 'miner/main.ts');
export const runValidator: Run = (cli) => runProgram(cli, 'validator/main.ts');
export const runLocal: Run = (cli) => runProgram(cli, 'infra/start.mjs');

const DEFAULT_EDGE_PORT = 8787;
const isPort = (text: string) => {
  const port = parseCount(text);
  return port !== undefined && port <= 65_535 ? port : undefined;
};

export const runEdge: Run = async (cli, given) => {
  const port = given.parsed('port', isPort, 'a port number') ?? DEFAULT_EDGE_PORT;
  const wrangler = ['dev', '--ip', '127.0.0.1', '--port', String(port)];
  const flags = [`${ROOT}node_modules/wrangler/bin/wrangler.js`, ...wrangler, '--config', `${ROOT}wrangler.toml`];
  await ended(cli, spawn(process.execPath, flags, { stdio: 'inherit', cwd: ROOT }), 'wrangler dev');
};
