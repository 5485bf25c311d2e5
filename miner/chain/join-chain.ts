/**
 * The miner and its chain: what is known at the start, kept true while it runs. Without a chain (a network of tests, an
 * operator who lists the tenants himself) the settings say it all. Called by `run-miner.ts`.
 */
import { mkdirSync } from 'node:fs';
import { createRawRpc } from '#shared/chain/raw/raw-rpc.ts';
import { fromHex, toHex } from '#shared/primitives/bytes.ts';
import type { Clock, Log } from '#shared/primitives/effects.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { MinerSettings } from '../settings.ts';
import type { StoreTenant } from '../store/shard-store.ts';
import { isAnnounced } from './axon-claim.ts';
import { readView, writeView } from './chain-file.ts';
import type { ChainView } from './chain-view.ts';
import { ChainRefused, type FollowedSubnet, firstLook, followChain } from './follow-chain.ts';

export interface JoinedChain {
  readonly genesis: Uint8Array;
  tenants(): readonly StoreTenant[];
  /** When we were seen to have lost our place in the subnet; undefined while we have it. */
  leftMs(): number | undefined;
  /** The chain knows us at this port already. */
  announcedAt(port: number): boolean;
  /** Looks on until the signal; calls back when tenants or our place changed. */
  follow(onChange: () => void): Promise<void>;
}

export async function joinChain(
  settings: MinerSettings,
  own: Hotkey,
  effects: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Promise<JoinedChain> {
  const { genesis, tenants, chain, netuid, dataDir } = settings;
  if (!chain) {
    if (!genesis || !tenants) throw new ChainRefused('neither a chain nor what it would say is set');
    return {
      genesis,
      tenants: () => tenants,
      leftMs: () => undefined,
      announcedAt: () => true,
      follow: async () => undefined,
    };
  }
  mkdirSync(dataDir, { recursive: true });
  const kept = readView(dataDir);
  const known = kept?.netuid === netuid ? kept : undefined;
  const ports = {
    ...effects,
    rpc: createRawRpc({ endpoint: chain.endpoint, fetch }),
    save: (view: ChainView) => writeView(dataDir, view),
  };
  const subnet: FollowedSubnet = {
    netuid,
    own,
    minStakeRao: settings.tenantMinStakeRao,
    everyMs: settings.chainEveryMs,
  };
  const first = await firstLook(ports, subnet, known, genesis && toHex(genesis), signal);
  let { view } = first;
  const hash = fromHex(view.genesisHash, 32);
  if (!hash) throw new ChainRefused('the chain named no genesis');
  const registersItself = settings.announce === 'elsewhere' || settings.registerAtMostRao !== undefined;
  if (view.uid === undefined && view.leftMs === undefined && !registersItself) {
    const how = `filetao wallet register --netuid ${netuid}, or set FILETAO_REGISTER_AT_MOST`;
    throw new ChainRefused(`hotkey ${own} is not registered in subnet ${netuid}: ${how}`);
  }
  return {
    genesis: hash,
    tenants: () => tenants ?? view.tenants.map(({ hotkey, current }) => ({ hotkey, quotaBytes: current ? ALL : 0 })),
    leftMs: () => view.leftMs,
    announcedAt: (port) => isAnnounced(first.axon, settings.externalIp, settings.externalPort ?? port),
    follow: (onChange) => {
      const changed = (next: ChainView) => {
        view = next;
        onChange();
      };
      return followChain(ports, subnet, view, changed, signal);
    },
  };
}

/** As much as there is room for. */
const ALL = Number.MAX_SAFE_INTEGER;
