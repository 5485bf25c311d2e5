/** A miner's address as the chain is told it, and whether the chain knows it already. */
import type { ServedAxon } from '#shared/chain/ports.ts';
import { AXON_VERSION } from '#shared/chain/register-and-serve.ts';
import { addressOfChain } from '#shared/wire/address.ts';

const V4_VALUES = 1n << 32n;

/** The settings keep an address as the number that hello claims. */
export const addressText = (ip: bigint): string => addressOfChain(ip, ip < V4_VALUES ? 4 : 6)?.text ?? '';

export const isAnnounced = (axon: ServedAxon | undefined, ip: bigint, port: number): boolean =>
  axon?.ip === addressText(ip) && axon.port === port && axon.version === AXON_VERSION;
