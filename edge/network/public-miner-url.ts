/**
 * Where this edge may send requests for a miner's address. A pattern with the literal `{ip}` is of use on one machine
 * or in Node alone (production Workers cannot fetch bare addresses), so loopback is allowed there and nowhere else;
 * every other private address is refused always: directories come from chain data, which anyone can write.
 */
import { isPublicAddress, parseAddress } from '#shared/wire/address.ts';
import { type HostPattern, minerUrlOf } from '#shared/wire/miner-url.ts';
import type { MinerUrl } from './miner-network.ts';

const LOOPBACK_V4 = 127n;

export function publicMinerUrl(pattern: HostPattern): MinerUrl {
  const literal = pattern.text.includes('{ip}');
  return (miner) => {
    const address = parseAddress(miner.ip);
    if (!address) return undefined;
    const loopback = address.version === 4 ? address.value >> 24n === LOOPBACK_V4 : address.value === 1n;
    if (!isPublicAddress(address) && !(literal && loopback)) return undefined;
    return minerUrlOf(pattern, miner);
  };
}
