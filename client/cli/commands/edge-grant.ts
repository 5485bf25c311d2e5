/**
 * `filetao edge grant`: onto the list of a validator on this machine, which then renews the grant by itself; or a grant
 * signed here with the validator's hotkey and written to the index, for as long as it holds.
 */
import { resolve } from 'node:path';
import { addToEdgeList, removeFromEdgeList } from '#shared/access/node-edge-list.ts';
import { MAX_GRANT_LIFE_MS, signEdgeGrant } from '#shared/access/sign-edge-grant.ts';
import { loadHotkey } from '#shared/chain/wallet/node-wallets.ts';
import { createIndex } from '#shared/index/redis-index.ts';
import { toBase64 } from '#shared/primitives/bytes.ts';
import { systemClock } from '#shared/primitives/effects.ts';
import { type Hotkey, parseHotkey } from '#shared/primitives/ids.ts';
import { readKeyFile } from '#shared/wire/node-key-file.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import { orFail, usageError } from '../command-failed.ts';
import type { Cli, Run } from '../command-spec.ts';
import type { Given } from '../given.ts';
import { findLocalNetwork } from '../settings/edge-choice.ts';
import { withChain } from '../settings/open-chain.ts';
import { passwordAsker, readSecretLine } from '../settings/secrets-given.ts';
import { walletPlace } from '../settings/wallet-place.ts';
import { parseDuration } from '../terminal/units.ts';

const DEFAULT_SECONDS = 12 * 3600;

function edgeOf(given: Given): Hotkey {
  const text = given.one(0, 'the edge’s hotkey');
  const edge = parseHotkey(text);
  if (!edge) throw usageError(`${JSON.stringify(text)} is no hotkey: an SS58 address beginning with 5`);
  return edge;
}

const dataDirOf = (cli: Cli, given: Given): string | undefined => {
  const folder = given.text('data-dir') || cli.environment.FILETAO_VALIDATOR_DATA_DIR;
  return folder ? resolve(cli.workingFolder, folder) : undefined;
};

export const grantEdge: Run = async (cli, given) => {
  const edge = edgeOf(given);
  const dataDir = dataDirOf(cli, given);
  if (dataDir !== undefined) {
    const added = await addToEdgeList(dataDir, edge);
    const text = `${edge} is on the list of ${dataDir}${added ? '' : ' already'}: the running validator grants and renews it`;
    cli.out.result({ edge, dataDir, added }, text);
    return;
  }
  const seconds = given.parsed('for', parseDuration, 'a duration such as 12h') ?? DEFAULT_SECONDS;
  if (seconds < 60 || seconds * 1000 > MAX_GRANT_LIFE_MS) throw usageError('--for must lie between a minute and a day');
  const signer = await signerOf(cli, given);
  await withChain(cli, given, async (chain, { netuid }) => {
    const network = { genesis: chain.genesisHash, netuid };
    const { grant, signed } = signEdgeGrant({ signer, network }, edge, systemClock.nowMs(), seconds * 1000);
    const until = new Date(grant.untilMs).toISOString();
    const answer = { edge, validator: signer.hotkey, netuid, until, grant: toBase64(signed) };
    if (given.flag('print')) {
      cli.out.result(answer, answer.grant);
      return;
    }
    const { url, token } = await indexOf(cli);
    await createIndex({ url, token, clock: systemClock }).access.writeGrant(edge, signed);
    cli.out.result(answer, `${edge} may store and read for ${signer.hotkey} until ${until}`);
  });
};

export const revokeEdge: Run = async (cli, given) => {
  const edge = edgeOf(given);
  const dataDir = dataDirOf(cli, given);
  if (dataDir === undefined) throw usageError('whose list? Give --data-dir, the folder of the validator');
  const removed = await removeFromEdgeList(dataDir, edge);
  const text = removed
    ? `${edge} is off the list: its last grant runs out within a day`
    : `${edge} was not on the list`;
  cli.out.result({ edge, dataDir, removed }, text);
};

async function signerOf(cli: Cli, given: Given) {
  const sr25519 = await loadSr25519();
  const keyFile = given.text('key-file');
  if (keyFile === undefined) {
    return orFail(await loadHotkey(walletPlace(cli, given), sr25519, passwordAsker(cli, given.text('password-file'))));
  }
  return sr25519.signerFromSeed(orFail(readKeyFile(resolve(cli.workingFolder, keyFile))));
}

async function indexOf(cli: Cli): Promise<{ readonly url: string; readonly token: string }> {
  const { FILETAO_INDEX_URL: url, FILETAO_INDEX_TOKEN_FILE: file } = cli.environment;
  if (url && file) return { url, token: await readSecretLine(cli, file) };
  const local = findLocalNetwork(cli)?.index;
  if (local) return local;
  throw usageError('which index? Set FILETAO_INDEX_URL and FILETAO_INDEX_TOKEN_FILE; or give --data-dir');
}
