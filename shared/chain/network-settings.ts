/**
 * Which chain, which subnet, where the axon is and which wallet signs: from flags, then environment variables, then
 * defaults. Pure: a program hands over what it was started with. Every mistake is one line that begins with the name.
 *
 *   --network                FILETAO_SUBTENSOR           finney, test, local, or ws://… / wss://…; default finney
 *   --netuid                 FILETAO_NETUID              no default, except 21 on local
 *   --axon.ip                FILETAO_AXON_IP             address to listen on; default 0.0.0.0
 *   --axon.port              FILETAO_AXON_PORT           default 8091
 *   --axon.external_ip       FILETAO_AXON_EXTERNAL_IP    address that others reach; default --axon.ip where that is one
 *   --axon.external_port     FILETAO_AXON_EXTERNAL_PORT  default --axon.port
 *   --wallet.name            FILETAO_WALLET              default "default"
 *   --wallet.hotkey          FILETAO_HOTKEY              default "default"
 *   --wallet.path            BT_WALLETS_PATH             default ~/.bittensor/wallets
 */
import { parseAddress } from '#shared/wire/address.ts';
import { PUBLIC_PACE, type RpcPace, UNLIMITED_PACE } from './rpc-pace.ts';

/** Networks by name (`docs/wallets.md`). */
const ENDPOINTS = {
  finney: 'wss://entrypoint-finney.opentensor.ai:443',
  test: 'wss://test.finney.opentensor.ai:443',
  local: 'ws://127.0.0.1:9944',
} as const;

const LOCAL_NETUID = 21;
/** The usual port of a Bittensor axon. */
const DEFAULT_PORT = 8091;
const MAX_U16 = 65_535;

export interface NetworkSettings {
  /** A name of the list, or `custom`. */
  readonly network: keyof typeof ENDPOINTS | 'custom';
  readonly endpoint: string;
  /** How fast the endpoint may be asked. */
  readonly pace: RpcPace;
  readonly netuid: number;
  readonly axon: {
    readonly ip: string;
    readonly port: number;
    /** Absent: it has to be given before the axon can be announced. */
    readonly externalIp: string | undefined;
    readonly externalPort: number;
  };
  readonly wallet: {
    readonly name: string;
    readonly hotkey: string;
    /** Absent: the usual folder in the home directory. */
    readonly path: string | undefined;
  };
}

export type ReadNetworkSettings =
  | { readonly ok: true; readonly settings: NetworkSettings }
  | { readonly ok: false; readonly lines: readonly string[] };

const NAMES = {
  network: ['--network', 'FILETAO_SUBTENSOR'],
  netuid: ['--netuid', 'FILETAO_NETUID'],
  ip: ['--axon.ip', 'FILETAO_AXON_IP'],
  port: ['--axon.port', 'FILETAO_AXON_PORT'],
  externalIp: ['--axon.external_ip', 'FILETAO_AXON_EXTERNAL_IP'],
  externalPort: ['--axon.external_port', 'FILETAO_AXON_EXTERNAL_PORT'],
  wallet: ['--wallet.name', 'FILETAO_WALLET'],
  hotkey: ['--wallet.hotkey', 'FILETAO_HOTKEY'],
  path: ['--wallet.path', 'BT_WALLETS_PATH'],
} as const;

type Given = Readonly<Record<string, string | undefined>>;

/** @param flags by name with the dashes, as `{"--netuid": "21"}`; other names are not looked at */
export function readNetworkSettings(flags: Given, environment: Given): ReadNetworkSettings {
  const lines: string[] = [];
  const given = (name: keyof typeof NAMES): { name: string; text: string } | undefined => {
    const [flag, variable] = NAMES[name];
    const sources = [
      { name: flag, text: flags[flag] },
      { name: variable, text: environment[variable] },
    ];
    // A variable that is set to nothing is not set: container files often have such lines.
    const found = sources.find(({ text }) => text !== undefined && text !== '');
    return found && { name: found.name, text: found.text ?? '' };
  };
  const wholeNumber = (name: keyof typeof NAMES, least: number): number | undefined => {
    const value = given(name);
    if (!value) return undefined;
    if (/^(?:0|[1-9][0-9]{0,4})$/.test(value.text) && Number(value.text) >= least && Number(value.text) <= MAX_U16) {
      return Number(value.text);
    }
    lines.push(`${value.name} must be a whole number from ${least} to ${MAX_U16}`);
    return undefined;
  };
  const address = (name: keyof typeof NAMES): string | undefined => {
    const value = given(name);
    if (!value) return undefined;
    const parsed = parseAddress(value.text);
    if (!parsed) lines.push(`${value.name} must be an IPv4 or IPv6 address`);
    return parsed?.text;
  };

  const chosen = given('network') ?? { name: '--network', text: 'finney' };
  const node = nodeOf(chosen.text);
  if (!node) lines.push(`${chosen.name} must be finney, test, local, or the ws:// or wss:// URL of a node`);
  const errors = lines.length;
  const netuid = wholeNumber('netuid', 0) ?? (node?.network === 'local' ? LOCAL_NETUID : undefined);
  if (netuid === undefined && lines.length === errors)
    lines.push('--netuid (FILETAO_NETUID) is not set: which subnet?');
  const port = wholeNumber('port', 1) ?? DEFAULT_PORT;
  const ip = address('ip') ?? '0.0.0.0';
  const axon = {
    ip,
    port,
    externalIp: address('externalIp') ?? (parseAddress(ip)?.value === 0n ? undefined : ip),
    externalPort: wholeNumber('externalPort', 1) ?? port,
  };
  if (lines.length > 0 || !node || netuid === undefined) return { ok: false, lines };
  const wallet = {
    name: given('wallet')?.text ?? 'default',
    hotkey: given('hotkey')?.text ?? 'default',
    path: given('path')?.text,
  };
  return { ok: true, settings: { ...node, netuid, axon, wallet } };
}

/** The node of a name or URL, and how fast it may be asked; undefined for anything else. */
export function nodeOf(text: string): Pick<NetworkSettings, 'network' | 'endpoint' | 'pace'> | undefined {
  if (text === 'finney' || text === 'test') return { network: text, endpoint: ENDPOINTS[text], pace: PUBLIC_PACE };
  if (text === 'local') return { network: text, endpoint: ENDPOINTS.local, pace: UNLIMITED_PACE };
  if (!/^wss?:\/\//.test(text) || !URL.canParse(text)) return undefined;
  const known = Object.values(ENDPOINTS).find((endpoint) => new URL(endpoint).host === new URL(text).host);
  // A node that somebody runs for himself has no limit; the public ones have, however they are named.
  const isPublic = known !== undefined && known !== ENDPOINTS.local;
  return { network: 'custom', endpoint: text, pace: isPublic ? PUBLIC_PACE : UNLIMITED_PACE };
}
