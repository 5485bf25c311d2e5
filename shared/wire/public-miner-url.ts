/**
 * Where requests for a miner's address may go: registrations are chain data, which anyone can write, so private and
 * special addresses are refused; loopback only where everything runs on one machine. The edge and the validator ask it
 * before every connection (design, "Trust and secrets").
 */
import { isPublicAddress, type ParsedAddress, parseAddress } from './address.ts';
import { type HostPattern, minerUrlOf } from './miner-url.ts';

const LOOPBACK_V4 = 127n;

const isLoopback = ({ version, value }: ParsedAddress): boolean =>
  version === 4 ? value >> 24n === LOOPBACK_V4 : value === 1n;

/** The origin for an address; undefined when we must not or cannot talk to it. */
export type PublicMinerUrl = (address: { readonly ip: string; readonly port: number }) => string | undefined;

/** @param loopback true on a network of one machine */
export function publicMinerUrl(pattern: HostPattern, { loopback }: { readonly loopback: boolean }): PublicMinerUrl {
  return (miner) => {
    const address = parseAddress(miner.ip);
    if (!address || !(isPublicAddress(address) || (loopback && isLoopback(address)))) return undefined;
    return minerUrlOf(pattern, miner);
  };
}
