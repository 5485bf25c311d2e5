/**
 * What `npm start` runs: brings the network up, checks it, prints what one needs to use it, and stays until Ctrl-C.
 *   FILETAO_STATE_DIR              folder of all state, default .filetao
 *   FILETAO_EDGE_PORT              the edge's port, default 8787; 0 takes any
 *   FILETAO_EXIT_AFTER_SELF_CHECK  1: stop after the self-check, exit 0 if it passed, else 1
 */
import process from 'node:process';
import { ChildFailure } from './child.ts';
import { LocalNetwork } from './local-network.ts';
import { checkNetwork, SelfCheckFailed } from './self-check.ts';
import { StartRefused } from './state-folder.ts';

const DEFAULT_STATE_DIR = '.filetao';
const DEFAULT_EDGE_PORT = 8787;
/** Enough for (4, 10) with two to spare, as many as two cores carry well. */
const MINERS = 12;
/** Of ten minutes' life each: some 400 MiB on the disk at a time. */
const SYNTHETIC_BYTES_PER_DAY = 64 * 2 ** 30;

const write = (text: string) => process.stdout.write(`${text}\n`);
const complain = (text: string) => process.stderr.write(`filetao: ${text}\n`);
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

function edgePort(): number {
  const text = process.env.FILETAO_EDGE_PORT || String(DEFAULT_EDGE_PORT);
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new StartRefused(`FILETAO_EDGE_PORT must be a port number, not ${text}`);
}

/** 0 or 1: how the process is to end. */
async function run(): Promise<number> {
  const asked = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!asked.signal.aborted) write('\nStopping …');
      asked.abort(new StartRefused('stopped before it was up'));
    });
  }
  write('FileTAO: starting a network on this machine');
  const startedMs = performance.now();
  const network = await LocalNetwork.start({
    stateDir: process.env.FILETAO_STATE_DIR || DEFAULT_STATE_DIR,
    edgePort: edgePort(),
    miners: MINERS,
    times: { syntheticBytesPerDay: SYNTHETIC_BYTES_PER_DAY },
    signal: asked.signal,
    say: (line) => write(`  ${line}`),
    onProgress: (part, ms) => write(`  ${part.padEnd(12)} up in ${seconds(ms)}`),
  });
  try {
    const check = await checkNetwork(network.edgeUrl, network.apiKey, network.secrets.sampleSeed);
    const { cid, bytes, storeMs, fetchMs, stored } = check;
    const mebibytes = (bytes / 2 ** 20).toFixed(1);
    write(
      `  self-check   ${mebibytes} MiB ${stored ? 'stored' : 'found again'} in ${seconds(storeMs)}, read back in ${seconds(fetchMs)}, equal`,
    );
    if (process.env.FILETAO_EXIT_AFTER_SELF_CHECK === '1') return 0;
    write(usage(network, cid, performance.now() - startedMs));
    await new Promise<void>((resolve) => {
      if (asked.signal.aborted) resolve();
      asked.signal.addEventListener('abort', () => resolve());
    });
    return 0;
  } finally {
    await network.stop();
    write('Stopped; the files stay in the state folder.');
  }
}

const usage = ({ edgeUrl, apiKey, state }: LocalNetwork, cid: string, tookMs: number): string => `
Up after ${seconds(tookMs)}. Ctrl-C stops everything.

  URL      ${edgeUrl}
  API key  ${apiKey}
  State    ${state.path} (logs in ${state.file('logs')})

Store a file, and get one back:

  curl -T README.md -H 'Authorization: Bearer ${apiKey}' ${edgeUrl}/v1/files
  curl -H 'Authorization: Bearer ${apiKey}' ${edgeUrl}/v1/files/${cid} -o /tmp/sample.bin
`;

try {
  process.exit(await run());
} catch (error) {
  const expected = error instanceof StartRefused || error instanceof ChildFailure || error instanceof SelfCheckFailed;
  complain(expected ? error.message : String(error instanceof Error ? error.stack : error));
  process.exit(1);
}
