/**
 * Where this edge may send requests for a miner's address. A pattern with the literal `{ip}` is of use on one machine
 * or in Node alone (production Workers cannot fetch bare addresses), so loopback is allowed there and nowhere else.
 */
import type { HostPattern } from '#shared/wire/miner-url.ts';
import * as shared from '#shared/wire/public-miner-url.ts';
import type { MinerUrl } from './miner-network.ts';

export const publicMinerUrl = (pattern: HostPattern): MinerUrl =>
  shared.publicMinerUrl(pattern, { loopback: pattern.text.includes('{ip}') });
