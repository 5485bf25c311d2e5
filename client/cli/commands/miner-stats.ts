/** `filetao miner stats`: the original's columns, for one miner or for all. */
import type { MinerStateAnswer } from '#shared/api/network-schemas.ts';
import { showWallet } from '#shared/chain/wallet/node-wallets.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import { CommandFailed, orFail } from '../command-failed.ts';
import type { Cli, Run } from '../command-spec.ts';
import { EXIT } from '../exit-codes.ts';
import type { Given } from '../given.ts';
import { networkReader } from '../settings/read-network.ts';
import { namesWallet, walletPlace } from '../settings/wallet-place.ts';
import { formatTable } from '../terminal/table.ts';

const GIB = 2 ** 30;

/** As the original showed them, in its order. */
export const STATS_TITLES: readonly string[] = [
  'Hotkey',
  'Total Successes',
  'Store A/S',
  'Challenge A/S',
  'Retrieve A/S',
  'Store Rate',
  'Challenge Rate',
  'Retrieve Rate',
  'Tier',
  'Storage Limit (GB)',
];

export function statsRow({ hotkey, totalSuccesses, window, tier, limitBytes }: MinerStateAnswer): readonly string[] {
  const tasks = [window.store, window.challenge, window.retrieve];
  const rate = (successes: number, attempts: number) =>
    attempts === 0 ? '0' : ((100 * successes) / attempts).toFixed(1).replace(/\.0$/, '');
  return [
    hotkey,
    String(totalSuccesses),
    ...tasks.map(({ attempts, successes }) => `${attempts} | ${successes}`),
    ...tasks.map(({ attempts, successes }) => rate(successes, attempts)),
    tier,
    String(Math.floor(limitBytes / GIB)),
  ];
}

/** The argument, else the hotkey of a wallet that was named; undefined: all. */
async function hotkeyOf(cli: Cli, given: Given): Promise<string | undefined> {
  const [text] = given.args;
  if (text !== undefined || !namesWallet(cli, given)) return text;
  const place = walletPlace(cli, given);
  const wallet = orFail(await showWallet(place, await loadSr25519()));
  const address = wallet.hotkeys.find(({ name }) => name === place.hotkey)?.address;
  if (address === undefined)
    throw new CommandFailed('key-missing', `wallet ${place.wallet} has no hotkey ${place.hotkey}`, EXIT.notFound);
  return address;
}

export const minerStats: Run = async (cli, given) => {
  const hotkey = await hotkeyOf(cli, given);
  const reader = await networkReader(cli, given);
  const miners = hotkey === undefined ? (await reader.miners()).miners : [await reader.miner(hotkey)];
  const columns = STATS_TITLES.map((title) => ({ title }));
  cli.out.result({ miners }, formatTable(columns, miners.map(statsRow)));
};
