/** The hash of block 0 that a genesis description makes: known before the chain runs, the same whenever it begins. */
import { sealBlock } from './node/block.ts';
import { type Genesis, genesisState } from './runtime/genesis.ts';
import type { Changes } from './state/state-view.ts';

export function genesisBlock(genesis: Genesis): {
  readonly block: ReturnType<typeof sealBlock>;
  readonly changes: Changes;
} {
  const changes = genesisState(genesis);
  return { block: sealBlock(undefined, new Uint8Array(32), [], changes), changes };
}
