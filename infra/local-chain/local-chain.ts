/**
 * A whole local chain in one object: state found in its folder or begun from a genesis, blocks at their pace, the RPC
 * server. `main.ts` runs one as a process; tests may run one in theirs. A block is on disk before anyone hears of it.
 */
import { mkdirSync } from 'node:fs';
import { fromHex, toHex } from '#shared/primitives/bytes.ts';
import type { Log } from '#shared/primitives/effects.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { invariant } from '#shared/primitives/failure.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import { genesisBlock } from './genesis-block.ts';
import { RUNTIME, storageOf } from './metadata/runtime-declaration.ts';
import { BlockLog, type StoredChain } from './node/block-log.ts';
import { Chain } from './node/chain.ts';
import { lockFolder } from './node/folder-lock.ts';
import { openRpcServer } from './rpc/server.ts';
import type { Genesis } from './runtime/genesis.ts';
import { Subnet } from './runtime/items.ts';
import { RuntimeCalls } from './runtime/runtime-calls.ts';
import { RUNTIME_VERSION_BYTES } from './runtime/runtime-version.ts';
import { encode } from './scale/encode.ts';
import type { Settings } from './settings.ts';
import { storagePrefix } from './state/storage-key.ts';

const VERSION = '0.1.0';
/** The disk is asked to keep a block at least this often, and for every block that holds an extrinsic. */
const SYNC_EVERY_BLOCKS = 16;

export interface LocalChain {
  readonly port: number;
  readonly url: string;
  readonly chain: Chain;
  readonly restored: boolean;
  /** Rejects when making a block failed: the chain stands still and must end. */
  readonly failed: Promise<never>;
  /** One block now, whatever the pace. */
  makeBlock(): void;
  close(): Promise<void>;
}

/** `still`: only `makeBlock` makes blocks, for tests that decide themselves what happens in which block. */
export type Pace = 'timed' | 'still';

/** @param genesis read only when the folder holds no chain yet */
export async function openLocalChain(
  settings: Settings,
  genesis: () => Genesis,
  log: Log,
  pace: Pace = 'timed',
): Promise<LocalChain> {
  mkdirSync(settings.dir, { recursive: true });
  const release = lockFolder(settings.dir);
  try {
    return await open(settings, genesis, log, pace, release);
  } catch (error) {
    release();
    throw error;
  }
}

async function open(
  settings: Settings,
  genesis: () => Genesis,
  log: Log,
  pace: Pace,
  release: () => void,
): Promise<LocalChain> {
  const { verify } = await loadSr25519();
  const blockLog = new BlockLog(settings.dir, Math.ceil(settings.history / 2));
  const found = blockLog.load();
  if (found && found.tornBytes > 0) log.warn('cut off an unfinished block', { bytes: found.tornBytes });
  const stored = found ?? begin(blockLog, genesis());
  const { history, finalityLag, localAxons } = settings;
  const chain = new Chain(
    { netuids: [settings.netuid], rules: { localAxons }, history, finalityLag, verifySr25519: verify },
    stored.genesis,
    stored.blocks,
  );
  requireSameSubnet(chain, settings);
  const runtime = new RuntimeCalls(localConstants(settings.blockTimeMs));
  const server = await openRpcServer({
    node: { chain, runtime, version: VERSION, chainName: 'Bittensor' },
    host: settings.host,
    port: settings.port,
    log,
    random: systemRandom,
  });

  let reject: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, refuse) => {
    reject = refuse;
  });
  failed.catch(() => undefined);
  const makeBlock = () => {
    const { block, changes, adopt } = chain.build(Date.now());
    const sync = block.extrinsics.length > 1 || block.header.number % SYNC_EVERY_BLOCKS === 0;
    blockLog.append({ block, changes }, sync, () => chain.state.entries());
    adopt();
  };
  const tick = () => {
    try {
      makeBlock();
    } catch (error) {
      clearInterval(timer);
      reject(error);
    }
  };
  const timer = pace === 'timed' ? setInterval(tick, settings.blockTimeMs) : undefined;
  return {
    port: server.port,
    url: `ws://${settings.host}:${server.port}`,
    chain,
    restored: found !== undefined,
    failed,
    makeBlock,
    close: async () => {
      clearInterval(timer);
      await server.close();
      blockLog.close();
      release();
    },
  };
}

function begin(blockLog: BlockLog, genesis: Genesis): StoredChain {
  const { block, changes } = genesisBlock(genesis);
  blockLog.begin(block, changes);
  return { genesis: block, blocks: [{ block, changes }], tornBytes: 0 };
}

/** A folder keeps its subnet: other settings would silently not count. */
function requireSameSubnet(chain: Chain, { netuid, tempo, dir }: Settings): void {
  const prefix = storagePrefix(storageOf('SubtensorModule', 'NetworksAdded'));
  const netuids = chain.state.keys(prefix, 8, '', chain.state.head).map((key) => {
    const bytes = fromHex(key.slice(prefix.length));
    invariant(bytes?.length === 2, `${toHex(bytes ?? new Uint8Array(0))} is no netuid`);
    return (bytes[0] ?? 0) + 256 * (bytes[1] ?? 0);
  });
  const kept = netuids.filter((found) => found !== 0);
  if (!kept.includes(netuid)) throw new Error(`${dir} holds netuid ${kept.join(', ')}, not ${netuid}`);
  const keptTempo = Subnet.tempo.get(chain.headState, netuid);
  if (keptTempo !== tempo) throw new Error(`${dir} holds a chain of tempo ${keptTempo}, not ${tempo}`);
}

/** Constants that say how this chain runs; `Timestamp.MinimumPeriod` is half a block, as on every Aura chain. */
function localConstants(blockTimeMs: number): ReadonlyMap<string, Uint8Array> {
  const u64 = (value: number) => encode(RUNTIME.types.get('u64'), BigInt(value));
  return new Map([
    ['System.Version', RUNTIME_VERSION_BYTES],
    ['Timestamp.MinimumPeriod', u64(Math.floor(blockTimeMs / 2))],
    ['Aura.SlotDuration', u64(blockTimeMs)],
  ]);
}
