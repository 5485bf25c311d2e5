/**
 * One real miner over HTTP (`wire-miner.ts`) and the clients that talk to it, an edge under a grant and the tenant
 * itself, patient and hasty. For the tests of the miner client.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { systemClock, systemRandom } from '#shared/primitives/effects.ts';
import { type AnchorId, hexId, newOrderId, type OrderId } from '#shared/primitives/ids.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import { encodeGrant } from '#shared/proof/grant.ts';
import { signStatement } from '#shared/proof/statement.ts';
import { createMinerClient, type MinerClientOptions } from '#shared/wire/miner-client.ts';
import { createNodeHttpFetch } from '#shared/wire/node-http-fetch.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import type { ShardFrame, ShardStream } from '#shared/wire/ports.ts';
import { startWireMiner } from './wire-miner.ts';

const sr25519 = await loadSr25519();
const seed = (n: number) => new Uint8Array(32).fill(n);

/** A signal that is never aborted. */
export const never: AbortSignal = new AbortController().signal;
/** For tests in which a miner is silent; elsewhere a loaded machine must not look like one, so limits are the real ones. */
export const HASTY = { idleMs: 250, totalMs: 1000 };

export const newOrder = (): OrderId => newOrderId(systemRandom);

let frames = 0;
/** A frame unlike any other; its anchor is not computed, which the client does not ask for. */
export function frameOf(bytes = 1000): ShardFrame {
  frames++;
  const anchor = new Uint8Array(32);
  new DataView(anchor.buffer).setUint32(0, frames);
  return {
    anchorId: hexId<AnchorId>(anchor, 32),
    ref: BigInt(frames),
    holdUntilMs: Date.now() + 60_000,
    label: Uint8Array.of(1, 2, frames % 256),
    shard: new Uint8Array(bytes).fill(frames),
  };
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export async function startWireWorld() {
  const tenant = sr25519.signerFromSeed(seed(1));
  const edge = sr25519.signerFromSeed(seed(2));
  const network = { genesis: new Uint8Array(32).fill(5), netuid: 21 };
  const transport = createNodeHttpFetch();
  const miner = await startWireMiner({ sr25519, seed: seed(3), network, tenant: tenant.hotkey });
  const unhandled: unknown[] = [];
  const noteUnhandled = (reason: unknown) => void unhandled.push(reason);
  process.on('unhandledRejection', noteUnhandled);

  const grantOf = (get: boolean) =>
    signStatement(
      tenant,
      encodeGrant(network, {
        validator: tenant.hotkey,
        edge: edge.hotkey,
        put: true,
        get,
        fromMs: Date.now() - 1000,
        untilMs: Date.now() + 3_600_000,
      }),
    );

  const clientOf = (signer: Signer, grant?: Uint8Array, options: Partial<MinerClientOptions> = {}) =>
    createMinerClient({
      fetch: transport.fetch,
      signer,
      network,
      tenant: tenant.hotkey,
      grant: () => grant,
      clock: systemClock,
      random: systemRandom,
      verify: sr25519.verify,
      ...options,
    });
  const client = clientOf(edge, grantOf(true));

  return {
    miner,
    network,
    tenant,
    edge,
    grantOf,
    clientOf,
    /** An edge under a grant for both rights. */
    client,
    tenantClient: clientOf(tenant),
    hasty: clientOf(edge, grantOf(true), { timeouts: HASTY }),
    hastyTenant: clientOf(tenant, undefined, { timeouts: HASTY }),
    /** Rejections that nobody caught: there must be none. */
    unhandled,

    async openStream(signal = never, by = client): Promise<ShardStream> {
      const opened = await by.openStream(miner, newOrder(), 100_000_000, signal);
      if (!opened.ok) throw new Error(opened.failure.message);
      return opened.value;
    },
    /** From now on the miner gives every stream its early 202 and leaves the rest to `go`. */
    accept(go: (request: IncomingMessage, response: ServerResponse) => void): void {
      miner.takeOver((request, response) => {
        response.writeHead(202).flushHeaders();
        go(request, response);
        return true;
      });
    },
    /** Between two tests: the miner is honest and empty again. */
    reset(): void {
      miner.takeOver();
      miner.forgeReceipts();
      miner.held.clear();
    },
    async close(): Promise<void> {
      process.off('unhandledRejection', noteUnhandled);
      transport.close();
      await miner.close();
    },
  };
}

export type WireWorld = Awaited<ReturnType<typeof startWireWorld>>;
