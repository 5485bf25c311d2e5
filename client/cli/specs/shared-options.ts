/** Options that several commands have, in one wording. */
import type { Option } from '../command-spec.ts';

export const EDGE_OPTIONS: readonly Option[] = [
  { flags: '--url <url>', about: 'the edge (FILETAO_URL, else where you logged in, else a local network)' },
];

export const WALLET_OPTIONS: readonly Option[] = [
  { flags: '--wallet.name <name>', about: 'Bittensor wallet (FILETAO_WALLET)' },
  { flags: '--wallet.hotkey <name>', about: 'its hotkey (FILETAO_HOTKEY)' },
  { flags: '--wallet.path <folder>', about: 'folder of the wallets (BT_WALLETS_PATH, else ~/.bittensor/wallets)' },
];

export const CHAIN_OPTIONS: readonly Option[] = [
  { flags: '--network <name>', about: 'finney, test, local, or the ws:// URL of a node (FILETAO_SUBTENSOR)' },
  { flags: '--subtensor.network <name>', about: 'the same', hidden: true },
  { flags: '--netuid <number>', about: 'the subnet (FILETAO_NETUID); no default but on local' },
];

export const NAMES_OPTIONS: readonly Option[] = [
  { flags: '--hash_basepath <folder>', about: 'folder of the local lists of names' },
];

export const YES_OPTION: Option = { flags: '-y, --yes', about: 'do not ask' };

/** Who a private file is for, beside yourself. */
export const PRIVACY_OPTIONS: readonly Option[] = [
  { flags: '--public', about: 'store it as it is: whoever knows the CID and may use the edge can read it' },
  { flags: '--recipient <age1…>', about: 'somebody else who can read it; several times for several', many: true },
  { flags: '--passphrase', about: 'whoever knows a passphrase can read it; it is asked for' },
  { flags: '--passphrase-file <file>', about: 'the passphrase is the first line of this file' },
  { flags: '--encrypt', about: 'private: the default', hidden: true },
];
