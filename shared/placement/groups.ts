/**
 * Owner groups: miners that may well fail, or cheat, together. Each miner is in one owner group (its coldkey) and in
 * the network groups of its address, widest first; what counts as one network is an argument, because on loopback
 * every miner shares an address and only the port tells them apart. Made once per directory snapshot, for `Peer.groups`.
 * Source: `docs/architecture.md`, placement.
 */

/** What groups are made of; a directory entry has it. */
export interface Grouped {
  /** SS58 text. */
  readonly coldkey: string;
  /** IPv6 in canonical text, no brackets. */
  readonly address: { readonly ip: string; readonly port: number };
}

/** Group keys of an address, widest first: each later group must lie wholly within the one before it. */
export type NetworkGroups = (address: Grouped['address']) => readonly string[];

const endpointGroup = (address: Grouped['address']): string => `endpoint:${address.ip}:${address.port}`;

/** The first 48 bits of an IPv6 address in any valid text form without a zone. */
function ipv6Prefix48(ip: string): string {
  const [head = '', tail] = ip.toLowerCase().split('::');
  const before = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':');
    // A dotted tail stands for two groups of 16 bits, and lies beyond the first 48 bits either way.
    const afterWords = after.length + (after.at(-1)?.includes('.') ? 1 : 0);
    while (before.length < 8 - afterWords) before.push('0');
  }
  const words = before.slice(0, 3).map((word) => Number.parseInt(word, 16).toString(16));
  return words.join(':');
}

/** On the internet: the /24 of an IPv4 or the /48 of an IPv6 address, then the endpoint itself. */
export const internetGroups: NetworkGroups = (address) => [
  address.ip.includes(':') ? `net6:${ipv6Prefix48(address.ip)}` : `net4:${address.ip.split('.').slice(0, 3).join('.')}`,
  endpointGroup(address),
];

/** On one machine: the port is the network. */
export const loopbackGroups: NetworkGroups = (address) => [endpointGroup(address)];

/** Every group of a miner: the owner first, then its networks, widest first. `place-shards.ts` relies on that order. */
export const groupsOf = (miner: Grouped, networkGroups: NetworkGroups): readonly string[] => [
  `coldkey:${miner.coldkey}`,
  ...networkGroups(miner.address),
];
