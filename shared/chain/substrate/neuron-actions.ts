/** Registering and serving: what the chain would refuse is said first, so that no fee is lost on it. */
import type { Signer } from '#shared/primitives/signer.ts';
import { parseAddress } from '#shared/wire/address.ts';
import { plainFailure, waitFailure } from '../chain-failure.ts';
import type { AxonClaim, BlockRef, Chain, Registered } from '../ports.ts';
import { refuse } from '../rpc-error.ts';
import type { Connection } from './connection.ts';
import { readOffer, readRegistration, readRules } from './read-subnet.ts';
import type { Until } from './submit.ts';

type Send = (signer: Signer, until: Until, call: string, ...args: readonly unknown[]) => Promise<BlockRef>;

/** The protocol number of an HTTP axon (bittensor SDK). */
const PROTOCOL = 4;

export async function register(
  connection: Connection,
  send: Send,
  { netuid, coldkey, hotkey, burnAtMostRao }: Parameters<Chain['register']>[0],
): Promise<Registered> {
  const best = await connection.heads.newest('best');
  if (await readRegistration(connection, netuid, hotkey, best)) {
    refuse(plainFailure('already-registered', `${hotkey} is registered in subnet ${netuid} already`));
  }
  const offer = await readOffer(connection, netuid, best);
  if (!offer.open) refuse(plainFailure('registration-closed', `subnet ${netuid} takes no registrations now`));
  if (offer.burnRao > burnAtMostRao) {
    const message = `registration in subnet ${netuid} now burns ${offer.burnRao} rao, agreed were ${burnAtMostRao}; nothing was paid`;
    refuse(plainFailure('cost-changed', message));
  }
  const block = await send(coldkey, 'finalized', 'burned_register', netuid, hotkey);
  const registration = await readRegistration(connection, netuid, hotkey, block);
  if (!registration) return refuse(plainFailure('refused', `${hotkey} was registered and replaced in one block`));
  return { uid: registration.uid, block };
}

export async function serveAxon(
  connection: Connection,
  send: Send,
  netuid: number,
  hotkey: Signer,
  claim: AxonClaim,
): Promise<{ readonly kind: 'served' | 'unchanged' }> {
  const address = parseAddress(claim.ip);
  if (!address) return refuse(plainFailure('axon-address-refused', `${claim.ip} is no IPv4 or IPv6 address`));
  const best = await connection.heads.newest('best');
  const [registration, rules] = await Promise.all([
    readRegistration(connection, netuid, hotkey.hotkey, best),
    readRules(connection, netuid, best),
  ]);
  if (!registration) {
    const message = `hotkey ${hotkey.hotkey} is not registered in subnet ${netuid}: filetao wallet register`;
    return refuse(plainFailure('not-registered', message));
  }
  const { axon } = registration;
  if (axon && axon.ip === address.text && axon.port === claim.port && axon.version === claim.version) {
    return { kind: 'unchanged' };
  }
  const freeAt = (axon?.block ?? 0) + rules.servingRateLimit;
  if (axon && best.number < freeAt) {
    refuse(waitFailure('serving-too-fast', `the axon was announced at block ${axon.block}`, freeAt));
  }
  await send(
    hotkey,
    'included',
    'serve_axon',
    netuid,
    claim.version,
    address.value,
    claim.port,
    address.version,
    PROTOCOL,
    0,
    0,
  );
  return { kind: 'served' };
}
