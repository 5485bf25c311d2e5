/** The validator's hotkey, from a key file or a Bittensor wallet that is not encrypted: nobody is there to ask. */
import { defaultWalletRoot, loadHotkey } from '#shared/chain/wallet/node-wallets.ts';
import type { Signer, Sr25519 } from '#shared/primitives/signer.ts';
import { readKeyFile } from '#shared/wire/node-key-file.ts';
import type { ValidatorSettings } from './settings.ts';

/** Throws one line that says what to do. */
export async function loadHotkeyOf(
  { keyFile, wallet }: Pick<ValidatorSettings, 'keyFile' | 'wallet'>,
  sr25519: Sr25519,
): Promise<Signer> {
  if (keyFile !== undefined) {
    const seed = readKeyFile(keyFile);
    if (!seed.ok) throw new Error(`keyFile: ${seed.failure.message}`);
    return sr25519.signerFromSeed(seed.value);
  }
  const { name = 'default', hotkey = 'default', path = defaultWalletRoot() } = wallet ?? {};
  const loaded = await loadHotkey({ root: path, wallet: name, hotkey }, sr25519, async () => undefined);
  if (!loaded.ok) throw new Error(`wallet: ${loaded.failure.message}`);
  return loaded.value;
}
