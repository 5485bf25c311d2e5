/** Single facts of a subnet, each question in one request: its rules, one registration, the offer to register. */
import type { Hotkey } from '#shared/primitives/ids.ts';
import { plainFailure } from '../chain-failure.ts';
import type { BlockRef, OwnRegistration, RegistrationOffer, SubnetRules } from '../ports.ts';
import { refuse } from '../rpc-error.ts';
import { accountOf, bigOf, boolOf, listOf, numberOf } from './codec-values.ts';
import { type Connection, readDefaults, readStorage } from './connection.ts';
import { axonOf } from './read-metagraph.ts';

const U16_MAX = 65_535;

async function subnetValues(connection: Connection, netuid: number, block: BlockRef, items: readonly string[]) {
  const runtime = await connection.runtime();
  const entries = ['NetworksAdded', ...items].map((item) => runtime.storage('SubtensorModule', item, netuid));
  const value = await readDefaults(connection, entries, block.hash);
  if (!boolOf(value(0))) refuse(plainFailure('subnet-unknown', `the chain has no subnet ${netuid} (--netuid)`));
  return (item: string) => value(1 + items.indexOf(item));
}

export async function readRules(connection: Connection, netuid: number, block: BlockRef): Promise<SubnetRules> {
  const value = await subnetValues(connection, netuid, block, [
    'Tempo',
    'SubnetworkN',
    'MaxAllowedUids',
    'ImmunityPeriod',
    'CommitRevealWeightsEnabled',
    'RevealPeriodEpochs',
    'WeightsSetRateLimit',
    'ServingRateLimit',
    'WeightsVersionKey',
    'MinAllowedWeights',
    'MaxWeightsLimit',
  ]);
  return {
    netuid,
    tempo: numberOf(value('Tempo')),
    neuronCount: numberOf(value('SubnetworkN')),
    maxNeurons: numberOf(value('MaxAllowedUids')),
    immunityPeriod: numberOf(value('ImmunityPeriod')),
    commitReveal: boolOf(value('CommitRevealWeightsEnabled')),
    revealPeriodEpochs: numberOf(value('RevealPeriodEpochs')),
    weightsRateLimit: numberOf(value('WeightsSetRateLimit')),
    servingRateLimit: numberOf(value('ServingRateLimit')),
    weightsVersionKey: bigOf(value('WeightsVersionKey')),
    minWeights: numberOf(value('MinAllowedWeights')),
    maxWeightShare: numberOf(value('MaxWeightsLimit')) / U16_MAX,
  };
}

export async function readOffer(connection: Connection, netuid: number, block: BlockRef): Promise<RegistrationOffer> {
  const value = await subnetValues(connection, netuid, block, [
    'Burn',
    'NetworkRegistrationAllowed',
    'SubnetworkN',
    'MaxAllowedUids',
  ]);
  return {
    netuid,
    burnRao: bigOf(value('Burn')),
    open: boolOf(value('NetworkRegistrationAllowed')),
    freeUids: Math.max(0, numberOf(value('MaxAllowedUids')) - numberOf(value('SubnetworkN'))),
    block,
  };
}

/** Two requests: the row of a uid is only known with the uid. */
export async function readRegistration(
  connection: Connection,
  netuid: number,
  hotkey: Hotkey,
  block: BlockRef,
): Promise<OwnRegistration | undefined> {
  const runtime = await connection.runtime();
  const entry = (item: string, ...keys: readonly unknown[]) => runtime.storage('SubtensorModule', item, ...keys);
  const [uidValue, owner, permits, axon] = await readStorage(
    connection,
    [
      entry('Uids', netuid, hotkey),
      entry('Owner', hotkey),
      entry('ValidatorPermit', netuid),
      entry('Axons', netuid, hotkey),
    ],
    block.hash,
  );
  if (!uidValue || !owner || !permits) return undefined;
  const uid = numberOf(uidValue);
  const value = await readDefaults(connection, [entry('BlockAtRegistration', netuid, uid)], block.hash);
  const permit = listOf(permits)[uid];
  return {
    uid,
    coldkey: accountOf(owner),
    registeredAt: numberOf(value(0)),
    validatorPermit: permit ? boolOf(permit) : false,
    axon: axonOf(axon),
  };
}

/** Free balance in billionths of TAO. */
export async function readBalance(connection: Connection, address: string, block: BlockRef): Promise<bigint> {
  const runtime = await connection.runtime();
  const value = await readDefaults(connection, [runtime.storage('System', 'Account', address)], block.hash);
  const account = value(0) as unknown as { readonly data: { readonly free: { toBigInt(): bigint } } };
  return account.data.free.toBigInt();
}
