/**
 * Everything secret of a local network, drawn at its first start and kept in `secrets.json`: who the tenant, the edge
 * and the miners are, what masks are made of, and the key that its person uses. Losing the mask secret loses the files.
 */
import { z } from 'zod';
import { newApiKey } from '#shared/primitives/api-key.ts';
import { toHex } from '#shared/primitives/bytes.ts';
import type { Random } from '#shared/primitives/effects.ts';
import { newOwnerId } from '#shared/primitives/ids.ts';
import { StartRefused, type StateFolder } from './state-folder.ts';

const FILE = 'secrets.json';
/** The original's subnet; any number will do on a chain of one's own. */
const NETUID = 21;

const seed = z.string().regex(/^[0-9a-f]{64}$/);

const Tenancy = z.object({
  tenantSeed: seed,
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
  tenancies: z.array(Tenancy),
  /** The self-check's sample is made of it: the same file at every start. */
  sampleSeed: seed,
});

export type Secrets = z.output<typeof Secrets>;
export type TenancySecrets = z.output<typeof Tenancy>;

/** Reads them, or draws and writes them; miners and tenants that are new get keys, those there are keep theirs. */
export function loadSecrets(state: StateFolder, counts: { miners: number; tenants: number }, random: Random): Secrets {
  const draw = () => toHex(random(32));
  const kept = state.readJson(FILE);
  const secrets: Secrets =
    kept === undefined
      ? { genesisHash: draw(), netuid: NETUID, miners: [], tenancies: [], sampleSeed: draw() }
      : parse(state, kept);
  if (secrets.miners.length >= counts.miners && secrets.tenancies.length >= counts.tenants) return secrets;
  while (secrets.miners.length < counts.miners) secrets.miners.push({ hotkeySeed: draw(), coldkeySeed: draw() });
  while (secrets.tenancies.length < counts.tenants) {
    const { text: apiKey, keyId: apiKeyId } = newApiKey(random);
    const [tenantSeed, edgeSeed, maskSecret] = [draw(), draw(), draw()];
    const [indexToken, indexEdgeToken] = [draw(), draw()];
    secrets.tenancies.push({
      tenantSeed,
      edgeSeed,
      maskSecret,
      indexToken,
      indexEdgeToken,
      owner: newOwnerId(random),
      apiKey,
      apiKeyId,
    });
  }
  state.write(FILE, `${JSON.stringify(secrets, undefined, 2)}\n`);
  return secrets;
}

function parse(state: StateFolder, value: unknown): Secrets {
  const parsed = Secrets.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new StartRefused(`${state.file(FILE)} is damaged: restore it from a backup; without it the files are lost`);
}
