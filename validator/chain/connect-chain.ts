/**
 * The validator's way to its chain: connects, for as long as it takes, and refuses a chain that is not the one of the
 * settings. Its pending weight commits lie in the validator's folder. Called once by `main.ts`.
 */
import { join } from 'node:path';
import { createNodeCommitStore } from '#shared/chain/node-commit-store.ts';
import type { BlockRef, Chain } from '#shared/chain/ports.ts';
import type { RpcPace } from '#shared/chain/rpc-pace.ts';
import { connectSubstrateChain } from '#shared/chain/substrate-chain.ts';
import { equalBytes, toHex } from '#shared/primitives/bytes.ts';
import { type Clock, type Log, systemRandom } from '#shared/primitives/effects.ts';

const COMMITS_FILE = 'weight-commits.json';
/** After so long without an answer a line says what is waited for. */
const PATIENCE_MS = 2_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

export interface ChainSettings {
  /** ws:// or wss:// */
  readonly endpoint: string;
  readonly pace: RpcPace;
  readonly genesisHash: Uint8Array;
  readonly dataDir: string;
}

/** Throws when the chain is another one, or one that this program is too old for: waiting would not help. */
export async function connectChain(
  { endpoint, pace, genesisHash, dataDir }: ChainSettings,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Promise<{ readonly chain: Chain; readonly first: BlockRef }> {
  const commits = createNodeCommitStore(join(dataDir, COMMITS_FILE));
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const answered = new AbortController();
    const late = clock.sleep(PATIENCE_MS, answered.signal).then(
      () => log.warn('chain-away', { endpoint, message: `${endpoint} does not answer yet` }),
      () => undefined,
    );
    const connected = await connectSubstrateChain({ endpoint, pace, clock, log, commits, random: systemRandom });
    answered.abort();
    await late;
    signal.throwIfAborted();
    const chain = connected.ok ? connected.value : undefined;
    if (chain && !equalBytes(chain.genesisHash, genesisHash)) {
      await chain.close();
      const is = `0x${toHex(chain.genesisHash)}`;
      throw new Error(`genesisHash: ${endpoint} is the chain ${is}, not 0x${toHex(genesisHash)}`);
    }
    const first = await chain?.finalizedHead();
    if (chain && first?.ok) return { chain, first: first.value };
    await chain?.close();
    const failure = !connected.ok ? connected.failure : first?.ok === false ? first.failure : undefined;
    if (failure?.code === 'runtime-changed') throw new Error(failure.message);
    log.warn('chain-away', { endpoint, ...failure, againInMs: pauseMs });
    await clock.sleep(pauseMs, signal);
  }
}
