/**
 * A network for the limits harness: an index behind the gateway, real miner processes, and in the directory the public
 * addresses that production miners have. The Worker is the harness's own.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedEngine } from '#infra/gateway/embedded/embedded-engine.ts';
import { openGateway } from '#infra/gateway/gateway.ts';
import { createFleet, type LocalMiner } from '#infra/local-network/miner-fleet.ts';
import { loadSecrets } from '#infra/local-network/secrets.ts';
import { StateFolder } from '#infra/local-network/state-folder.ts';
import { keyOf } from '#infra/local-network/throw-away-wallet.ts';
import type { DirectorySnapshot } from '#shared/index/ports.ts';
import { createIndex, type Index } from '#shared/index/redis-index.ts';
import { sealSnapshot } from '#shared/index/sealed-directory.ts';
import { apiKeyHash } from '#shared/primitives/api-key.ts';
import { fromHex } from '#shared/primitives/bytes.ts';
import { silentLog, systemClock, systemRandom } from '#shared/primitives/effects.ts';
import type { OwnerId } from '#shared/primitives/ids.ts';
import { encodeGrant } from '#shared/proof/grant.ts';
import { signStatement } from '#shared/proof/statement.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import { type Harness, type HarnessOptions, startHarness } from './limits-harness.ts';

const HOUR_MS = 3_600_000;
const GIB = 2 ** 30;
/** Dropped shards are kept so long; nothing is dropped here. */
const RESTORE_MS = 1000;

export interface LimitsWorld {
  readonly index: Index;
  readonly miners: readonly LocalMiner[];
  /** Signed by the tenant. */
  publish(snapshot: DirectorySnapshot): Promise<void>;
  /** `Authorization` of an owner. */
  readonly headers: { readonly authorization: string };
  startEdge(options?: Omit<HarnessOptions, 'bindings' | 'indexUrl'>): Promise<Harness>;
  stop(): Promise<void>;
}

const seedOf = (hex: string): Uint8Array => {
  const seed = fromHex(hex, 32);
  if (!seed) throw new Error('not a seed');
  return seed;
};

/** In a /24 and with a coldkey of its own each, and public: 9.0.0.9, 9.0.1.9, … */
const publicIpOf = (index: number): string => `9.${Math.floor(index / 256)}.${index % 256}.9`;

export async function startLimitsWorld(count: number): Promise<LimitsWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'filetao-limits-'));
  const state = StateFolder.open(folder);
  for (const name of ['keys', 'logs', 'miners']) state.folder(name);
  const sr25519 = await loadSr25519();
  const secrets = loadSecrets(state, { miners: count, tenants: 1 }, systemRandom, (seed) => keyOf(sr25519, seed));
  const [own] = secrets.tenancies;
  if (!own) throw new Error('a network has a tenant');
  const tenant = sr25519.signerFromSeed(seedOf(own.tenantSeed));
  const edge = sr25519.signerFromSeed(seedOf(own.edgeSeed));
  const supervision = { onSpawn() {}, onEnd() {}, onRestart() {}, say() {} };
  const miners = createFleet(
    state,
    secrets,
    sr25519,
    { tenants: [tenant.hotkey], chain: undefined, restoreMs: RESTORE_MS },
    supervision,
  );
  await Promise.all(miners.map(({ run }) => run.up()));

  const engine = openEmbeddedEngine(':memory:');
  const tokens = { tenant: own.indexToken, edge: own.indexEdgeToken };
  const gateway = await openGateway({ engine, tokens, log: silentLog, port: 0 });
  const index = createIndex({ url: gateway.url, token: own.indexToken, clock: systemClock });
  const nowMs = systemClock.nowMs();
  const network = { genesis: seedOf(secrets.genesisHash), netuid: secrets.netuid };
  const grant = { validator: tenant.hotkey, edge: edge.hotkey, put: true, get: true };
  const statement = encodeGrant(network, { ...grant, fromMs: nowMs - 1000, untilMs: nowMs + HOUR_MS });
  await index.access.writeGrant(edge.hotkey, signStatement(tenant, statement));
  const key = { keyId: own.apiKeyId, owner: own.owner as OwnerId, label: 'limits', createdAtMs: nowMs };
  await index.access.addKey(key, apiKeyHash(own.apiKey));
  const numbers = await index.miners.numberOf(miners.map(({ hotkey }) => hotkey));
  const publish = (snapshot: DirectorySnapshot) =>
    index.miners.publish(sealSnapshot({ signer: tenant, network }, snapshot));
  await publish({
    takenAtMs: nowMs,
    miners: miners.flatMap(({ hotkey, coldkey, port }, i) => {
      const number = numbers.get(hotkey);
      const address = { ip: publicIpOf(i), port };
      if (number === undefined) return [];
      return [{ number, hotkey, coldkey, address, freeBytes: 16 * GIB, capacityBytes: 16 * GIB, accepting: true }];
    }),
  });

  const bindings = {
    UPSTASH_REDIS_REST_TOKEN: own.indexEdgeToken,
    EDGE_HOTKEY_SEED: own.edgeSeed,
    TENANT_HOTKEY: tenant.hotkey,
    GENESIS_HASH: secrets.genesisHash,
    NETUID: String(secrets.netuid),
    MASK_SECRETS: `0:${own.maskSecret}`,
  };
  const edges: Harness[] = [];
  return {
    index,
    miners,
    publish,
    headers: { authorization: `Bearer ${own.apiKey}` },
    startEdge: async (options = {}) => {
      const harness = await startHarness({ ...options, bindings, indexUrl: gateway.url });
      edges.push(harness);
      return harness;
    },
    stop: async () => {
      await Promise.all(edges.map((harness) => harness.stop()));
      await Promise.all(miners.map(({ run }) => run.down()));
      await gateway.close();
      await engine.close();
      state.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
