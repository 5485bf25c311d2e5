/**
 * Everything secret of a local network, drawn at its first start and kept in `secrets.json`: who the tenant, the edge
 * and the miners are, what masks are made of, and the key that its person uses. Losing the mask secret loses the files.
 */
import { z } from 'zod';
import { newApiKey } from '#shared/primitives/api-key.ts';
import { toHex } from '#shared/primitives/bytes.ts';
import type { Random } from '#shared/primitives/effects.ts';
import { type Hotkey, newOwnerId } from '#shared/primitives/ids.ts';
import { describeGenesis, genesisHashOf } from './genesis.ts';
import { StartRefused, type StateFolder } from './state-folder.ts';

const FILE = 'secrets.json';
/** What the local chain begins with, public; drawn with the secrets and never changed. */
export const GENESIS_FILE = 'genesis.json';
/** The original's subnet; any number will do on a chain of one's own. */
const NETUID = 21;

const seed = z.string().regex(/^[0-9a-f]{64}$/);

const Tenancy = z.object({
  tenantSeed: seed,
  tenantColdkeySeed: seed,
  edgeSeed: seed,
  maskSecret: seed,
  indexToken: seed,
  indexEdgeToken: seed,
  owner: seed,
  apiKey: z.string(),
  apiKeyId: z.string(),
});

const Secrets = z.object({
  genesisHash: seed,
  netuid: z.int(),
  miners: z.array(z.object({ hotkeySeed: seed, coldkeySeed: seed })),
  /** A coldkey that holds TAO, for whoever wants to try registering. */
  purseSeed: seed,
  tenancies: z.array(Tenancy),
  /** The self-check's sample is made of it: the same file at every start. */
  sampleSeed: seed,
});

export type Secrets = z.output<typeof Secrets>;
export type TenancySecrets = z.output<typeof Tenancy>;

type KeyOf = (seedHex: string) => Hotkey;

/** Reads them, or draws and writes them. The chain's first state is made of the first draw: it is not added to later. */
export function loadSecrets(
  state: StateFolder,
  counts: { readonly miners: number; readonly tenants: number },
  random: Random,
  keyOf: KeyOf,
  hyperparameters: Readonly<Record<string, number | boolean>> = {},
): Secrets {
  const kept = state.readJson(FILE);
  if (kept !== undefined) return enough(state, parse(state, kept), counts);
  const draw = () => toHex(random(32));
  const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
  const drawn = {
    netuid: NETUID,
    miners: many(counts.miners, () => ({ hotkeySeed: draw(), coldkeySeed: draw() })),
    tenancies: many(counts.tenants, () => drawTenancy(random, draw)),
    purseSeed: draw(),
    sampleSeed: draw(),
  };
  const genesis = describeGenesis({
    tenants: drawn.tenancies.map((tenancy) => ({
      hotkey: keyOf(tenancy.tenantSeed),
      coldkey: keyOf(tenancy.tenantColdkeySeed),
    })),
    minerColdkeys: drawn.miners.map(({ coldkeySeed }) => keyOf(coldkeySeed)),
    purse: keyOf(drawn.purseSeed),
    hyperparameters,
  });
  const secrets = { genesisHash: genesisHashOf(genesis, NETUID), ...drawn };
  state.write(GENESIS_FILE, `${JSON.stringify(genesis, undefined, 2)}\n`);
  state.write(FILE, `${JSON.stringify(secrets, undefined, 2)}\n`);
  return secrets;
}

function drawTenancy(random: Random, draw: () => string): TenancySecrets {
  const { text: apiKey, keyId: apiKeyId } = newApiKey(random);
  return {
    tenantSeed: draw(),
    tenantColdkeySeed: draw(),
    edgeSeed: draw(),
    maskSecret: draw(),
    indexToken: draw(),
    indexEdgeToken: draw(),
    owner: newOwnerId(random),
    apiKey,
    apiKeyId,
  };
}

function enough(state: StateFolder, secrets: Secrets, counts: { miners: number; tenants: number }): Secrets {
  if (secrets.miners.length >= counts.miners && secrets.tenancies.length >= counts.tenants) return secrets;
  const has = `${secrets.miners.length} miners and ${secrets.tenancies.length} tenants`;
  throw new StartRefused(`the chain in ${state.path} was begun with ${has}: move the folder away to begin with more`);
}

function parse(state: StateFolder, value: unknown): Secrets {
  const parsed = Secrets.safeParse(value);
  if (parsed.success) return parsed.data;
  const withoutChain = typeof value === 'object' && value !== null && 'genesisHash' in value && !('purseSeed' in value);
  if (withoutChain && state.readJson(GENESIS_FILE) === undefined && 'miners' in value) {
    throw new StartRefused(`${state.path} is of a version without a chain: move it away to begin anew`);
  }
  throw new StartRefused(`${state.file(FILE)} is damaged: restore it from a backup; without it the files are lost`);
}
