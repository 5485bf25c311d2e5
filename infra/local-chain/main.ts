/**
 * The local chain as a process: `node infra/local-chain/main.ts`, settings in `settings.ts`. Logs `listening` with its
 * URL when clients may come; ends on SIGTERM and SIGINT with everything on disk.
 */
import { readFileSync } from 'node:fs';
import { toHex } from '#shared/primitives/bytes.ts';
import { createNodeLog } from '#shared/primitives/node-log.ts';
import { parseGenesis } from './genesis-file.ts';
import { openLocalChain } from './local-chain.ts';
import { readSettings } from './settings.ts';

const log = createNodeLog('chain');

function fail(error: unknown): void {
  log.error('cannot go on', { error: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2), process.env);
  const genesis = () => {
    const description: unknown = settings.genesis ? JSON.parse(readFileSync(settings.genesis, 'utf8')) : {};
    return parseGenesis(description, settings.netuid, settings.tempo);
  };
  const running = await openLocalChain(settings, genesis, log);
  log.info('listening', {
    url: running.url,
    port: running.port,
    netuid: settings.netuid,
    genesisHash: `0x${toHex(running.chain.genesisHash)}`,
    block: running.chain.head.header.number,
    restored: running.restored,
    pid: process.pid,
  });
  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    await running.close();
    log.info('stopped', { block: running.chain.head.header.number });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end());
  running.failed.catch((error: unknown) => {
    fail(error);
    void end();
  });
}

main().catch(fail);
