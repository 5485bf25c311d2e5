/**
 * The short-lived process that registers a miner (when it was told what that may cost) and announces its axon: it loads
 * `@polkadot/api`, which the miner never does, and ends. Started by `announce-axon.ts` with the miner's own environment;
 * an operator can start it by hand as well. Exit code 0: it is announced; 78: an operator has to mend something.
 */
import process from 'node:process';
import { announcePatiently } from '#shared/chain/announce-patiently.ts';
import { AXON_VERSION } from '#shared/chain/register-and-serve.ts';
import { connectSubstrateChain } from '#shared/chain/substrate-chain.ts';
import { loadColdkey } from '#shared/chain/wallet/node-wallets.ts';
import { systemClock, systemRandom } from '#shared/primitives/effects.ts';
import { createNodeLog } from '#shared/primitives/node-log.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import { loadMinerKey } from '../load-miner-key.ts';
import { EXIT_CONFIG, readSettings } from '../settings.ts';
import { addressText } from './axon-claim.ts';

const log = createNodeLog('announce');

function giveUp(reason: string): never {
  log.error('not-announced', { reason });
  process.exit(EXIT_CONFIG);
}

async function main(): Promise<void> {
  const read = readSettings(process.env);
  if (!read.ok) giveUp(read.lines.join('; '));
  const { chain: settings, netuid, externalIp, externalPort, port, key, registerAtMostRao } = read.settings;
  if (!settings) giveUp('FILETAO_SUBTENSOR is not set');
  const sr25519 = await loadSr25519();
  const hotkey = await loadMinerKey(key, sr25519);
  if (!hotkey.ok) giveUp(hotkey.failure.message);
  const coldkey =
    registerAtMostRao === undefined || key.kind !== 'wallet'
      ? undefined
      : await loadColdkey({ root: key.root, wallet: key.wallet }, sr25519, async () => undefined);
  if (coldkey && !coldkey.ok) giveUp(`${coldkey.failure.message}; or register by hand: filetao wallet register`);
  const connected = await connectSubstrateChain({
    endpoint: settings.endpoint,
    pace: settings.pace,
    clock: systemClock,
    random: systemRandom,
    log,
    // Nothing here sets weights.
    commits: { list: async () => [], put: async () => undefined, remove: async () => undefined },
  });
  if (!connected.ok) throw new Error(connected.failure.message);
  const done = await announcePatiently(
    connected.value,
    {
      netuid,
      hotkey: hotkey.value,
      claim: { ip: addressText(externalIp), port: externalPort ?? port, version: AXON_VERSION },
      ...(coldkey?.ok &&
        registerAtMostRao !== undefined && {
          registration: { coldkey: coldkey.value, burnAtMostRao: registerAtMostRao },
        }),
    },
    systemClock,
  );
  await connected.value.close();
  if (!done.ok) {
    if (done.failure.fault === 'caller') giveUp(done.failure.message);
    throw new Error(done.failure.message);
  }
  const { uid, registered, axon } = done.value;
  log.info('announced', { uid, registered, axon });
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    log.error('not-announced', { reason: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  },
);
