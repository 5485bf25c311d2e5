/** `filetao login` and `logout`: an API key is kept only once the edge has taken it. */
import { readAccount } from '#client/edge-files.ts';
import { isApiKeyText } from '#shared/primitives/api-key.ts';
import { usageError } from '../command-failed.ts';
import type { Cli, Run } from '../command-spec.ts';
import { connectionTo } from '../settings/connection.ts';
import { edgeUrl, findLocalNetwork, readLogin, settingsPath, writeLogin } from '../settings/edge-choice.ts';
import { readSecretLine } from '../settings/secrets-given.ts';
import { formatPairs } from '../terminal/table.ts';
import { formatBytes } from '../terminal/units.ts';

async function keyFor(cli: Cli, url: string, file: string | undefined): Promise<string> {
  const local = findLocalNetwork(cli);
  if (file !== undefined) return readSecretLine(cli, file);
  if (cli.environment.FILETAO_API_KEY) return cli.environment.FILETAO_API_KEY;
  if (local && edgeUrl(local.edge.url, 'network.json') === url) return local.edge.apiKey;
  const typed = await cli.prompt.secret(`API key for ${url}`);
  if (typed === undefined)
    throw usageError('there is nobody to ask for the API key: give --api-key-file, or set FILETAO_API_KEY');
  return typed;
}

export const login: Run = async (cli, given) => {
  const named = given.args[0] ?? cli.environment.FILETAO_URL;
  const local = findLocalNetwork(cli);
  if (!named && !local) throw usageError('which edge? filetao login https://…; no local network runs here');
  const url = named ? edgeUrl(named, 'the URL') : edgeUrl(local?.edge.url ?? '', 'network.json');
  const apiKey = (await keyFor(cli, url, given.text('api-key-file'))).trim();
  if (!isApiKeyText(apiKey)) throw usageError('that is no API key: it is ftk_ and 43 characters');
  const account = await readAccount(connectionTo(url, apiKey), cli.signal);
  const { keys } = await readLogin(cli.places);
  await writeLogin(cli.places, { url, keys: { ...keys, [url]: apiKey } });
  cli.out.result(
    { url, account },
    formatPairs([
      ['logged in to', url],
      ['account', account.owner],
      ['used', `${formatBytes(account.bytes)} of ${formatBytes(account.quotaBytes)}, ${account.files} files`],
      ['kept in', settingsPath(cli.places)],
    ]),
  );
};

export const logout: Run = async (cli, given) => {
  const before = await readLogin(cli.places);
  const url = given.args[0] === undefined ? before.url : edgeUrl(given.args[0], 'the URL');
  if (url === undefined || before.keys[url] === undefined)
    throw usageError(`you are not logged in${url ? ` to ${url}` : ''}`);
  const { [url]: _forgotten, ...keys } = before.keys;
  await writeLogin(cli.places, before.url === url || before.url === undefined ? { keys } : { url: before.url, keys });
  cli.out.result({ url }, `The key of ${url} is forgotten here; it stays valid until it is revoked.`);
};
