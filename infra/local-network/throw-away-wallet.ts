/**
 * Wallets of a local network, in Bittensor's layout and not encrypted: `wallets/<name>/{coldkey, coldkeypub.txt,
 * hotkeys/default}` in the state folder. What they hold is worth nothing anywhere else.
 */
import { fromHex, toHex } from '#shared/primitives/bytes.ts';
import { type Hotkey, publicKeyOf } from '#shared/primitives/ids.ts';
import type { Sr25519 } from '#shared/primitives/signer.ts';
import { StartRefused, type StateFolder } from './state-folder.ts';

export function keyOf(sr25519: Sr25519, seedHex: string): Hotkey {
  const seed = fromHex(seedHex, 32);
  if (!seed) throw new StartRefused('a seed in secrets.json is damaged');
  return sr25519.signerFromSeed(seed).hotkey;
}

interface WalletKeys {
  readonly coldkeySeed: string;
  readonly coldkey: Hotkey;
  readonly hotkeySeed: string;
  readonly hotkey: Hotkey;
}

const publicHalf = (address: Hotkey) => {
  const publicKey = `0x${toHex(publicKeyOf(address))}`;
  return { accountId: publicKey, publicKey, ss58Address: address };
};
const json = (value: unknown): string => `${JSON.stringify(value)}\n`;

export function writeWallet(state: StateFolder, name: string, keys: WalletKeys) {
  state.folder('wallets', name, 'hotkeys');
  const at = `wallets/${name}`;
  state.write(`${at}/coldkeypub.txt`, json(publicHalf(keys.coldkey)));
  return {
    coldkeyFile: state.write(
      `${at}/coldkey`,
      json({ ...publicHalf(keys.coldkey), secretSeed: `0x${keys.coldkeySeed}` }),
    ),
    hotkeyFile: state.write(
      `${at}/hotkeys/default`,
      json({ ...publicHalf(keys.hotkey), secretSeed: `0x${keys.hotkeySeed}` }),
    ),
  };
}
