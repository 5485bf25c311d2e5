/** `filetao wallet list` and `wallet show`. */
import { join } from 'node:path';
import {
  showWallet as readWallet,
  listWallets as readWallets,
  type ShownKey,
  type ShownWallet,
} from '#shared/chain/wallet/node-wallets.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import { orFail } from '../command-failed.ts';
import type { Run } from '../command-spec.ts';
import { namesChain, withChain } from '../settings/open-chain.ts';
import { walletPlace } from '../settings/wallet-place.ts';
import { formatPairs, formatTable } from '../terminal/table.ts';
import { formatTao } from '../terminal/tao.ts';

const protection = ({ encrypted }: ShownKey): string =>
  encrypted === undefined ? 'public half only' : encrypted ? 'encrypted' : 'not encrypted';

export const listWallets: Run = async (cli, given) => {
  const { root } = walletPlace(cli, given);
  const wallets = await readWallets(root, await loadSr25519());
  const rows = wallets.flatMap(({ name, coldkey, hotkeys }) => [
    [name, 'coldkey', coldkey.address ?? '?', coldkey.problem ?? protection(coldkey)],
    ...hotkeys.map((hotkey) => ['', hotkey.name, hotkey.address ?? '?', hotkey.problem ?? protection(hotkey)]),
  ]);
  const table = formatTable([{ title: 'wallet' }, { title: 'key' }, { title: 'address' }, { title: 'file' }], rows);
  cli.out.result({ folder: root, wallets }, wallets.length > 0 ? table : '');
  if (wallets.length === 0) cli.out.note(`There is no wallet in ${root}: filetao wallet create`);
};

export const showWallet: Run = async (cli, given) => {
  const place = walletPlace(cli, given);
  const wallet = orFail(await readWallet(place, await loadSr25519()));
  const onChain = namesChain(cli, given) ? await readOnChain(cli, given, wallet) : undefined;
  const keys = [
    ['coldkey', wallet.coldkey] as const,
    ...wallet.hotkeys.map((hotkey) => [`hotkey ${hotkey.name}`, hotkey] as const),
  ];
  const lines = keys.map(([name, key]): [string, string] => [
    name,
    `${key.address ?? key.problem ?? '?'}  ${protection(key)}`,
  ]);
  const chainLines = onChain?.lines ?? [];
  cli.out.result(
    { ...wallet, folder: join(place.root, place.wallet), ...(onChain && { chain: onChain.json }) },
    formatPairs([['wallet', `${wallet.name}  ${join(place.root, place.wallet)}`], ...lines, ...chainLines]),
  );
};

async function readOnChain(cli: Parameters<Run>[0], given: Parameters<Run>[1], wallet: ShownWallet) {
  return withChain(cli, given, async (chain, { netuid, network }) => {
    const { address } = wallet.coldkey;
    const balance = address === undefined ? undefined : orFail(await chain.balance(address));
    const registrations = [];
    for (const { name, address: hotkey } of wallet.hotkeys) {
      if (hotkey === undefined) continue;
      const found = orFail(await chain.registration(netuid, hotkey));
      registrations.push({ name, hotkey, uid: found?.uid, axon: found?.axon, validatorPermit: found?.validatorPermit });
    }
    const lines: [string, string][] = [
      ['balance', balance === undefined ? '?' : `${formatTao(balance)} on ${network}`],
      ...registrations.map(({ name, uid, axon }): [string, string] => [
        `subnet ${netuid}`,
        uid === undefined
          ? `${name} is not registered: filetao wallet register --wallet.hotkey ${name} --netuid ${netuid}`
          : `${name} is uid ${uid}${axon ? `, serves at ${axon.ip}:${axon.port}` : ', does not serve'}`,
      ]),
    ];
    return { lines, json: { network, netuid, balanceRao: balance?.toString(), registrations } };
  });
}
