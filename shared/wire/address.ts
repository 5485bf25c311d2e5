/**
 * Miner addresses: parsing to one canonical text, the deny lists that keep us from being aimed at private hosts, and
 * the chain's u128. (Groups of addresses belong to placement: `shared/placement/groups.ts`.) Chain data is untrusted: whoever registers an axon
 * chooses it. Ranges: IANA special-purpose registries (RFC 6890 and successors); design, "Trust and secrets".
 */

/** An address as number and version. */
export interface ParsedAddress {
  readonly version: 4 | 6;
  readonly value: bigint;
  /** Dotted quad, or RFC 5952 without brackets. */
  readonly text: string;
}

const OCTET = /^(?:0|[1-9][0-9]{0,2})$/;

function parseV4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    // No leading zeros: some resolvers read them as octal.
    if (!OCTET.test(part) || Number(part) > 255) return undefined;
    value = value * 256n + BigInt(part);
  }
  return value;
}

const GROUP = /^[0-9a-fA-F]{1,4}$/;

function parseGroups(text: string): string[] | undefined {
  if (text === '') return [];
  const groups = text.split(':');
  const last = groups.at(-1) ?? '';
  if (last.includes('.')) {
    const v4 = parseV4(last);
    if (v4 === undefined) return undefined;
    groups.splice(-1, 1, (v4 >> 16n).toString(16), (v4 & 0xffffn).toString(16));
  }
  return groups.every((group) => GROUP.test(group)) ? groups : undefined;
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  // An embedded IPv4 address can only stand at the very end.
  if (halves.length === 2 && (halves[0] ?? '').includes('.')) return undefined;
  const head = parseGroups(halves[0] ?? '');
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '') : [];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

const textOfV4 = (value: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => ((value >> shift) & 0xffn).toString()).join('.');

/** RFC 5952: lowercase, no leading zeros, the longest run of two or more zero groups as "::" (the first of equals). */
function textOfV6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
  let best = { at: 0, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && groups[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.length < 2) return hex.join(':');
  return `${hex.slice(0, best.at).join(':')}::${hex.slice(best.at + best.length).join(':')}`;
}

const MAPPED_PREFIX = 0xffffn;

const v4 = (value: bigint): ParsedAddress => ({ version: 4, value, text: textOfV4(value) });

/** Mapped addresses (::ffff:a.b.c.d) are the IPv4 address that they map: nothing passes a list in disguise. */
function v6(value: bigint): ParsedAddress {
  if (value >> 32n === MAPPED_PREFIX) return v4(value & 0xffff_ffffn);
  return { version: 6, value, text: textOfV6(value) };
}

/** An IPv4 or IPv6 address, no brackets, no zone; undefined for anything else. */
export function parseAddress(text: string): ParsedAddress | undefined {
  if (text.length > 45) return undefined;
  if (!text.includes(':')) {
    const value = parseV4(text);
    return value === undefined ? undefined : v4(value);
  }
  const value = parseV6(text);
  return value === undefined ? undefined : v6(value);
}

/** An axon's (ip, ip_type) as the chain keeps them; undefined when they do not fit. */
export function addressOfChain(ip: bigint, ipType: number): ParsedAddress | undefined {
  if (ipType === 4) return ip >= 0n && ip < 1n << 32n ? v4(ip) : undefined;
  if (ipType === 6) return ip >= 0n && ip < 1n << 128n ? v6(ip) : undefined;
  return undefined;
}

/** The chain's (and hello's) u128: an IPv4 address is its 32-bit number; undefined for text that is no address. */
export const u128OfAddress = (text: string): bigint | undefined => parseAddress(text)?.value;

type Range = readonly [network: string, bits: number];

const DENIED_V4: readonly Range[] = [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // carrier-grade NAT
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local, cloud metadata
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 3], // multicast, reserved, broadcast
];

/** All of IPv6 that is routed at all, … */
const GLOBAL_V6: Range = ['2000::', 3];
/** … less what leads elsewhere or nowhere. */
const DENIED_V6: readonly Range[] = [
  ['2001::', 23], // protocol assignments, Teredo among them
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4
  ['3fff::', 20], // documentation
];

function inRange(address: ParsedAddress, [network, bits]: Range): boolean {
  const base = parseAddress(network);
  if (!base || base.version !== address.version) return false;
  const shift = BigInt((address.version === 4 ? 32 : 128) - bits);
  return address.value >> shift === base.value >> shift;
}

/** May production code connect there? Local networks use an override of their own, never a hole in this list. */
export function isPublicAddress(address: ParsedAddress): boolean {
  if (address.version === 4) return !DENIED_V4.some((range) => inRange(address, range));
  return inRange(address, GLOBAL_V6) && !DENIED_V6.some((range) => inRange(address, range));
}
