/**
 * Which edge, and with which key: the flag, then the environment, then `filetao login`, then a local network that runs
 * here. A key belongs to one URL and is never sent to another.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CommandFailed, usageError } from '../command-failed.ts';
import { EXIT } from '../exit-codes.ts';
import type { Given } from '../given.ts';
import type { Places } from './places.ts';
import { readPrivateJson, writePrivateFile } from './private-file.ts';

export interface LoginSettings {
  /** The edge of commands that name none. */
  readonly url?: string;
  /** API keys by edge. */
  readonly keys: Readonly<Record<string, string>>;
}

const NO_LOGIN: LoginSettings = { keys: {} };

export const settingsPath = (places: Places): string => join(places.config, 'settings.json');

const isTexts = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' && value !== null && Object.values(value).every((entry) => typeof entry === 'string');

function checkLogin(json: unknown): LoginSettings | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { url, keys } = json as Record<string, unknown>;
  if ((url !== undefined && typeof url !== 'string') || !isTexts(keys)) return undefined;
  return { ...(url !== undefined && { url }), keys };
}

export const readLogin = async (places: Places): Promise<LoginSettings> =>
  (await readPrivateJson(settingsPath(places), checkLogin)) ?? NO_LOGIN;

export const writeLogin = (places: Places, login: LoginSettings): Promise<void> =>
  writePrivateFile(settingsPath(places), `${JSON.stringify(login, undefined, 2)}\n`);

export type Source = 'flag' | 'environment' | 'login' | 'local network';

export interface EdgeChoice {
  readonly url: string;
  readonly urlFrom: Source;
  readonly apiKey: string | undefined;
  readonly keyFrom: Source | undefined;
}

/** Origin and path without a closing slash; keys are kept by this. @param from names the mistake's place */
export function edgeUrl(text: string, from: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    throw usageError(`${from} must be an http or https URL, not ${JSON.stringify(text)}`);
  if (url.username || url.password) throw usageError(`${from} must not contain a user name or password`);
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

interface Surroundings {
  readonly places: Places;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
}

export interface LocalNetworkFile {
  readonly path: string;
  readonly edge: { readonly url: string; readonly apiKey: string };
  readonly index: { readonly url: string; readonly token: string } | undefined;
  readonly chain: { readonly endpoint: string; readonly netuid: number } | undefined;
  readonly miners: readonly { readonly hotkey: string; readonly url: string; readonly folder: string }[];
}

/** `network.json` of a local network that is up: of FILETAO_STATE_DIR, else of `.filetao` here or further up. */
export function findLocalNetwork({
  environment,
  workingFolder,
}: Omit<Surroundings, 'places'>): LocalNetworkFile | undefined {
  const named = environment.FILETAO_STATE_DIR;
  const candidates: string[] = [];
  if (named) candidates.push(resolve(workingFolder, named));
  else
    for (let at = resolve(workingFolder); ; at = dirname(at)) {
      candidates.push(join(at, '.filetao'));
      if (dirname(at) === at) break;
    }
  const path = candidates.map((folder) => join(folder, 'network.json')).find((file) => existsSync(file));
  if (!path) return undefined;
  try {
    const json = JSON.parse(readFileSync(path, 'utf8'));
    const { edge, index, miners, chain } = json;
    if (typeof edge?.url !== 'string' || typeof edge?.apiKey !== 'string') return undefined;
    const endpoint = chain?.endpoint ?? chain?.url;
    return {
      path,
      edge,
      index: typeof index?.url === 'string' && typeof index?.token === 'string' ? index : undefined,
      chain: typeof endpoint === 'string' ? { endpoint, netuid: Number(chain.netuid ?? 21) } : undefined,
      miners: Array.isArray(miners) ? miners : [],
    };
  } catch {
    // Being replaced, or of something else: as if it were not there.
    return undefined;
  }
}

export async function chooseEdge(cli: Surroundings, given: Given): Promise<EdgeChoice> {
  const { environment, places } = cli;
  const login = await readLogin(places);
  const local = findLocalNetwork(cli);
  const found = firstOf<{ url: string; urlFrom: Source }>(
    [given.text('url'), (url) => ({ url: edgeUrl(url, '--url'), urlFrom: 'flag' })],
    [environment.FILETAO_URL, (url) => ({ url: edgeUrl(url, 'FILETAO_URL'), urlFrom: 'environment' })],
    [login.url, (url) => ({ url, urlFrom: 'login' })],
    [local?.edge.url, (url) => ({ url: edgeUrl(url, 'network.json'), urlFrom: 'local network' })],
  );
  if (!found) {
    throw usageError(
      'no edge is known',
      'filetao login https://…     log in to one\nFILETAO_URL, FILETAO_API_KEY name one for scripts\nnpm start                    brings a whole network up on this machine',
    );
  }
  const localKey = local && edgeUrl(local.edge.url, 'network.json') === found.url ? local.edge.apiKey : undefined;
  const key = firstOf<{ apiKey: string; keyFrom: Source }>(
    // A key from the environment goes only where the environment or the flag points, or where the user logged in.
    [environment.FILETAO_API_KEY, (apiKey) => ({ apiKey, keyFrom: 'environment' })],
    [login.keys[found.url], (apiKey) => ({ apiKey, keyFrom: 'login' })],
    [localKey, (apiKey) => ({ apiKey, keyFrom: 'local network' })],
  );
  return { ...found, apiKey: key?.apiKey, keyFrom: key?.keyFrom };
}

/** Of texts that were given (an empty one was not), the first, made into something. */
function firstOf<T>(...cases: readonly (readonly [string | undefined, (text: string) => T])[]): T | undefined {
  for (const [text, make] of cases) if (text !== undefined && text !== '') return make(text);
  return undefined;
}

/** The same, for commands that need a key. */
export async function chooseEdgeWithKey(
  cli: Surroundings,
  given: Given,
): Promise<EdgeChoice & { readonly apiKey: string }> {
  const choice = await chooseEdge(cli, given);
  const { apiKey, url } = choice;
  if (apiKey === undefined) {
    throw new CommandFailed(
      'no-api-key',
      `there is no API key for ${url}`,
      EXIT.refused,
      `filetao login ${url}     asks for the key and keeps it\nFILETAO_API_KEY              names one for scripts`,
    );
  }
  return { ...choice, apiKey };
}
