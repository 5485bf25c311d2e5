/** `filetao wallet register`: what it burns is shown, the person is asked, and never more than that is paid. */
import { loadColdkey, showWallet } from '#shared/chain/wallet/node-wallets.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import { CommandFailed, orFail, usageError } from '../command-failed.ts';
import type { Run } from '../command-spec.ts';
import { EXIT } from '../exit-codes.ts';
import { withChain } from '../settings/open-chain.ts';
import { passwordAsker } from '../settings/secrets-given.ts';
import { walletPlace } from '../settings/wallet-place.ts';
import { formatPairs } from '../terminal/table.ts';
import { formatTao, parseTao } from '../terminal/tao.ts';

export const registerHotkey: Run = async (cli, given) => {
  const place = walletPlace(cli, given);
  const atMost = given.parsed('max-cost', parseTao, 'an amount of TAO such as 0.5');
  const sr25519 = await loadSr25519();
  const wallet = orFail(await showWallet(place, sr25519));
  const hotkey = wallet.hotkeys.find(({ name }) => name === place.hotkey)?.address;
  if (hotkey === undefined) {
    const message = `wallet ${place.wallet} has no hotkey ${place.hotkey}`;
    throw new CommandFailed(
      'key-missing',
      message,
      EXIT.notFound,
      `filetao wallet create --only hotkey --wallet.name ${place.wallet} --wallet.hotkey ${place.hotkey}`,
    );
  }
  await withChain(cli, given, async (chain, { network, endpoint, netuid }) => {
    const registered = orFail(await chain.registration(netuid, hotkey));
    if (registered) {
      const { uid, registeredAt } = registered;
      cli.out.result(
        { registered: 'before', uid, hotkey, netuid },
        `${place.hotkey} is registered in subnet ${netuid} already: uid ${uid}, since block ${registeredAt}`,
      );
      return;
    }
    const offer = orFail(await chain.registrationOffer(netuid));
    if (!offer.open)
      throw new CommandFailed('registration-closed', `subnet ${netuid} takes no registrations now`, EXIT.refused);
    const payer = wallet.coldkey.address;
    const balance = payer === undefined ? undefined : orFail(await chain.balance(payer));
    const room =
      offer.freeUids > 0 ? `${offer.freeUids} free places` : 'full: the weakest neuron out of immunity is replaced';
    cli.out.note(
      formatPairs([
        ['subnet', `${netuid} on ${network === 'custom' ? endpoint : network} (${room})`],
        ['hotkey', `${place.wallet}/${place.hotkey}  ${hotkey}`],
        ['burns', `${formatTao(offer.burnRao)}, which nobody gives back`],
        [
          'paid by',
          `the coldkey ${payer ?? '(encrypted)'}, which has ${balance === undefined ? '?' : formatTao(balance)}`,
        ],
      ]),
    );
    if (atMost !== undefined && offer.burnRao > atMost) {
      const message = `it would burn ${formatTao(offer.burnRao)}, more than --max-cost ${formatTao(atMost)}: nothing was paid`;
      throw new CommandFailed('cost-changed', message, EXIT.refused);
    }
    if (balance !== undefined && balance < offer.burnRao) {
      const message = `the coldkey ${payer} has ${formatTao(balance)}, and registering burns ${formatTao(offer.burnRao)}`;
      throw new CommandFailed('balance-too-low', message, EXIT.refused, `send TAO to ${payer} first`);
    }
    if (!given.flag('yes')) {
      const agreed = await cli.prompt.confirm(`Burn ${formatTao(offer.burnRao)} and register?`);
      if (agreed === undefined) throw usageError('there is nobody to ask: give --yes to agree');
      if (!agreed) throw new CommandFailed('not-agreed', 'nothing was paid', EXIT.refused);
    }
    const coldkey = orFail(await loadColdkey(place, sr25519, passwordAsker(cli, given.text('password-file'))));
    cli.out.note('Registering …');
    const burnAtMostRao = offer.burnRao;
    const { uid, block } = orFail(await chain.register({ netuid, coldkey, hotkey, burnAtMostRao }));
    cli.out.result(
      { registered: 'now', uid, hotkey, netuid, block: block.number, burnedAtMostRao: burnAtMostRao.toString() },
      `Registered in subnet ${netuid}: uid ${uid}, block ${block.number}`,
    );
  });
};
