/**
 * Axons: where a neuron serves. Follows subtensor's `subnets/serving.rs`; the pool asks `checkServe` first, the call
 * again. The real chain refuses the loopback address and broadcast; this one refuses all of 127/8 and the private
 * ranges too, because nobody outside can reach them, unless it runs with local axons.
 */
import { type Context, type Dispatched, type Inspection, refuse } from './context.ts';
import { type AccountId, type AxonInfo, Neurons, Subnet } from './items.ts';

export interface ServeAxon {
  readonly netuid: number;
  readonly version: number;
  readonly ip: bigint;
  readonly port: number;
  readonly ip_type: number;
  readonly protocol: number;
  readonly placeholder1: number;
  readonly placeholder2: number;
  /** With TLS only: one byte of algorithm, then up to 64 of public key. */
  readonly certificate?: Uint8Array;
}

const MAX_CERTIFICATE_BYTES = 65;
/** (network, bits) of IPv4 addresses that lead nowhere from outside: RFC 1918, loopback, link-local, carrier NAT. */
const UNREACHABLE_V4: readonly (readonly [bigint, bigint])[] = [
  [0x7f000000n, 8n],
  [0x0a000000n, 8n],
  [0xac100000n, 12n],
  [0xc0a80000n, 16n],
  [0xa9fe0000n, 16n],
  [0x64400000n, 10n],
];
const BROADCAST_V4 = 0xffffffffn;
const MAX_V6 = (1n << 128n) - 1n;
/** fc00::/7 and fe80::/10, by their leading bits. */
const UNREACHABLE_V6: readonly (readonly [bigint, bigint])[] = [
  [0xfcn >> 1n, 7n],
  [0xfe80n >> 6n, 10n],
];

function isValidAddress(type: number, ip: bigint, localAxons: boolean): boolean {
  if (type === 4) {
    if (ip >= BROADCAST_V4) return false;
    return localAxons || !UNREACHABLE_V4.some(([network, bits]) => ip >> (32n - bits) === network >> (32n - bits));
  }
  if (ip === MAX_V6) return false;
  return localAxons || (ip !== 1n && !UNREACHABLE_V6.some(([head, bits]) => ip >> (128n - bits) === head));
}

export function checkServe({ state, block, rules }: Inspection, hotkey: AccountId, axon: ServeAxon): Dispatched {
  if (!Neurons.uid.has(state, axon.netuid, hotkey)) return refuse('HotKeyNotRegisteredInNetwork');
  if (axon.ip_type !== 4 && axon.ip_type !== 6) return refuse('InvalidIpType');
  if (!isValidAddress(axon.ip_type, axon.ip, rules.localAxons)) return refuse('InvalidIpAddress');
  const last = Neurons.axon.get(state, axon.netuid, hotkey)?.block ?? 0n;
  const limit = Subnet.servingRateLimit.get(state, axon.netuid);
  if (limit !== 0n && last !== 0n && BigInt(block) - last < limit) return refuse('ServingRateLimitExceeded');
  if (axon.port === 0) return refuse('InvalidPort');
  return undefined;
}

export function serveAxon(context: Context, hotkey: AccountId, axon: ServeAxon): Dispatched {
  const failure = checkServe(context, hotkey, axon);
  if (failure) return failure;
  const { netuid, certificate, version, ip, port, ip_type, protocol, placeholder1, placeholder2 } = axon;
  const [algorithm, ...key] = certificate ?? [];
  if (certificate && algorithm !== undefined && certificate.length <= MAX_CERTIFICATE_BYTES) {
    Neurons.certificate.put(context.state, { public_key: Uint8Array.from(key), algorithm }, netuid, hotkey);
  }
  const info: AxonInfo = {
    block: BigInt(context.block),
    version,
    ip,
    port,
    ip_type,
    protocol,
    placeholder1,
    placeholder2,
  };
  Neurons.axon.put(context.state, info, netuid, hotkey);
  context.emit({ pallet: 'SubtensorModule', name: 'AxonServed', value: [netuid, hotkey] });
  return undefined;
}
