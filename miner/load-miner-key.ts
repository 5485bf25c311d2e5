/** The miner's hotkey, from a key file or a Bittensor wallet that is not encrypted: nobody is there to ask. */
import type { Failure, Result } from '#shared/primitives/failure.ts';
import { succeed } from '#shared/primitives/failure.ts';
import type { Signer, Sr25519 } from '#shared/primitives/signer.ts';
import { readKeyFile } from '#shared/wire/node-key-file.ts';

export type MinerKey =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'wallet'; readonly root: string; readonly wallet: string; readonly hotkey: string };

export async function loadMinerKey(key: MinerKey, sr25519: Sr25519): Promise<Result<Signer, Failure>> {
  if (key.kind === 'file') {
    const seed = readKeyFile(key.path);
    return seed.ok ? succeed(sr25519.signerFromSeed(seed.value)) : seed;
  }
  // Only when it is needed: phrases and ciphers cost memory.
  const { loadHotkey } = await import('#shared/chain/wallet/node-wallets.ts');
  return loadHotkey(key, sr25519, async () => undefined);
}
