/** Which wallet, hotkey and folder of wallets: flags, then environment, then Bittensor's defaults. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { HotkeyPlace } from '#shared/chain/wallet/node-wallets.ts';
import type { Cli } from '../command-spec.ts';
import type { Given } from '../given.ts';

export function walletPlace({ environment }: Pick<Cli, 'environment'>, given: Given): HotkeyPlace {
  const { BT_WALLETS_PATH, FILETAO_WALLET, FILETAO_HOTKEY, HOME } = environment;
  const home = HOME || homedir();
  const root = given.text('wallet.path') || BT_WALLETS_PATH || join(home, '.bittensor', 'wallets');
  return {
    // Where no shell did it.
    root: root.replace(/^~(?=\/|$)/, home),
    wallet: given.text('wallet.name') || FILETAO_WALLET || 'default',
    hotkey: given.text('wallet.hotkey') || FILETAO_HOTKEY || 'default',
  };
}

/** True when a wallet was named: its keys are wanted, not the ones of this machine. */
export const namesWallet = ({ environment }: Pick<Cli, 'environment'>, given: Given): boolean =>
  Boolean(given.text('wallet.name') || environment.FILETAO_WALLET);
