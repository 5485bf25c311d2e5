/** Worlds of `shared/testing/chain-suite.ts` on the local chain: a process each, on a port and in a folder of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createNodeCommitStore } from '#shared/chain/node-commit-store.ts';
import { UNLIMITED_PACE } from '#shared/chain/rpc-pace.ts';
import { connectSubstrateChain } from '#shared/chain/substrate-chain.ts';
import { silentLog, systemClock, systemRandom } from '#shared/primitives/effects.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import type { ChainWorld } from '#shared/testing/chain-suite.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';

const MAIN = fileURLToPath(new URL('../../infra/local-chain/main.ts', import.meta.url));

export interface LocalWorld {
  readonly blockTimeMs: number;
  readonly tempo: number;
  /** Beside the owner and the validator. */
  readonly neurons?: number;
  readonly hyperparameters?: Readonly<Record<string, number | boolean>>;
}

export async function startLocalWorld(options: LocalWorld): Promise<ChainWorld> {
  const sr25519 = await loadSr25519();
  const newSigner = (): Signer => sr25519.signerFromSeed(systemRandom(32));
  const [coldkey, validator, owner] = [newSigner(), newSigner(), newSigner()];
  const folder = mkdtempSync(join(tmpdir(), 'filetao-chain-'));
  const genesis = join(folder, 'genesis.json');
  const others = Array.from({ length: options.neurons ?? 0 }, () => ({
    hotkey: newSigner().hotkey,
    coldkey: coldkey.hotkey,
  }));
  writeFileSync(
    genesis,
    JSON.stringify({
      owner: { coldkey: owner.hotkey, hotkey: newSigner().hotkey },
      balances: { [coldkey.hotkey]: 1000, [validator.hotkey]: 10 },
      neurons: [{ hotkey: validator.hotkey, coldkey: coldkey.hotkey, stake: 100_000 }, ...others],
      hyperparameters: options.hyperparameters ?? {},
    }),
  );
  const flags = ['--port', '0', '--dir', join(folder, 'chain'), '--genesis', genesis, '--netuid', '21'];
  const pace = ['--block-time-ms', String(options.blockTimeMs), '--tempo', String(options.tempo)];
  const child = spawn(process.execPath, [MAIN, ...flags, ...pace], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const endpoint = await new Promise<string>((resolve, reject) => {
    const lines: string[] = [];
    ended.then(() => reject(new Error(`the local chain ended: ${lines.join('\n')}`)), reject);
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line);
      const { event, url } = JSON.parse(line) as { event?: string; url?: string };
      if (event === 'listening' && url) resolve(url);
    });
  });
  const commits = createNodeCommitStore(join(folder, 'commits.json'));
  return {
    netuid: 21,
    endpoint,
    coldkey,
    validator,
    newSigner,
    commits,
    stop,
    async connect(store = commits) {
      const connected = await connectSubstrateChain({
        endpoint,
        clock: systemClock,
        random: systemRandom,
        log: silentLog,
        commits: store,
        pace: UNLIMITED_PACE,
      });
      if (!connected.ok) throw new Error(connected.failure.message);
      return connected.value;
    },
  };
}
