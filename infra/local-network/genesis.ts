/**
 * The local chain's first state: the tenants with stake and permit, and TAO for the coldkeys of the miners, who register
 * themselves, and for a purse that a person may try things with. Made with the secrets, once: its hash is the network
 * that every signed statement names.
 */
import { toHex } from '#shared/primitives/bytes.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import { genesisBlock } from '../local-chain/genesis-block.ts';
import { parseGenesis } from '../local-chain/genesis-file.ts';

/** Blocks an epoch. */
export const TEMPO = 60;
/** In alpha: a hundred times what the chain asks of who sets weights. */
const TENANT_STAKE = 100_000;
/** In TAO: a registration burns 0.1 at first, a quarter more each time. */
const MINER_TAO = 10_000;
const PURSE_TAO = 1_000_000;

export interface GenesisParts {
  readonly tenants: readonly { readonly hotkey: Hotkey; readonly coldkey: Hotkey }[];
  readonly minerColdkeys: readonly Hotkey[];
  readonly purse: Hotkey;
  readonly hyperparameters: Readonly<Record<string, number | boolean>>;
}

/** As in `infra/local-chain/genesis-file.ts`. */
export function describeGenesis({
  tenants,
  minerColdkeys,
  purse,
  hyperparameters,
}: GenesisParts): Record<string, unknown> {
  return {
    name: 'filetao local',
    owner: tenants[0],
    balances: Object.fromEntries([[purse, PURSE_TAO], ...minerColdkeys.map((coldkey) => [coldkey, MINER_TAO])]),
    neurons: tenants.map((tenant) => ({ ...tenant, stake: TENANT_STAKE })),
    hyperparameters: {
      // A miner that starts again on another port can say so at once.
      ServingRateLimit: 1,
      ...hyperparameters,
    },
  };
}

/** 64 hex digits. */
export const genesisHashOf = (description: unknown, netuid: number): string =>
  toHex(genesisBlock(parseGenesis(description, netuid, TEMPO)).block.hash);
