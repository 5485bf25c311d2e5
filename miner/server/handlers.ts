/**
 * One handler a route: from an admitted request to flows and back to HTTP. Failures are returned and become problems
 * in `miner-server.ts`; a handler that has begun to answer can only throw, which cuts the connection.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { toBase64Url, toHex, utf8 } from '#shared/primitives/bytes.ts';
import type { Clock, Log } from '#shared/primitives/effects.ts';
import { invariant } from '#shared/primitives/failure.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import type { Signer, VerifySr25519 } from '#shared/primitives/signer.ts';
import { POR_ANCHOR_TYPE } from '#shared/proof/any-anchor.ts';
import { encodeHello } from '#shared/proof/hello.ts';
import { type Network, signStatement } from '#shared/proof/statement.ts';
import { FRAMES_TYPE } from '#shared/wire/frames.ts';
import { HEALTH_SIGNATURE_HEADER, healthStatement } from '#shared/wire/health.ts';
import { IDLE_MS, MAX_LIST_ITEMS, MAX_READ_ITEMS, MAX_SHARD_BYTES, STREAM_TOTAL_MS } from '#shared/wire/limits.ts';
import type { AdmissionFailure, Admitted } from '../admission/admit.ts';
import type { QueryOf, RouteId } from '../admission/routes.ts';
import { answerChallenge } from '../flows/answer-challenge.ts';
import { carryOutDrop } from '../flows/carry-out-drop.ts';
import { parseAnchors, sendShard, sendShards } from '../flows/send-shards.ts';
import { storeShard } from '../flows/store-shard.ts';
import { storeShards } from '../flows/store-shards.ts';
import type { ShardStore } from '../store/shard-store.ts';
import { OCTETS, sendBytes, startStream, writeAll } from './answer.ts';
import type { BodyReader } from './body.ts';

export interface MinerPorts {
  readonly store: ShardStore;
  readonly signer: Signer;
  readonly verify: VerifySr25519;
  readonly network: Network;
  readonly clock: Clock;
  readonly version: string;
  /** What hello claims: the address that the chain has of this miner. Without a port, the one that is listened on. */
  readonly address: { readonly ip: bigint; readonly port: number | undefined };
  /** Aborted when the miner is going away. */
  readonly draining: AbortSignal;
  /** True once the operator announced that the miner goes for good. */
  readonly leaving: () => boolean;
  readonly log: Log;
  /** Tenants with a challenge under way. */
  readonly challenging: Set<Hotkey>;
}

export interface Exchange<Id extends RouteId = RouteId> {
  readonly admitted: Admitted;
  readonly query: QueryOf<Id>;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Made when first asked for: a request without a body has none to read. */
  readonly reader: () => BodyReader;
}

/** Undefined once the answer is sent. */
type Handler<Id extends RouteId> = (
  ports: MinerPorts,
  exchange: Exchange<Id>,
) => Promise<AdmissionFailure | undefined> | AdmissionFailure | undefined;

function parties(admitted: Admitted): { readonly caller: Hotkey; readonly tenant: Hotkey } {
  const { caller, tenant } = admitted;
  invariant(caller && tenant, 'routes that touch shards are for callers with a tenant');
  return { caller, tenant };
}

function anchorOf(admitted: Admitted) {
  invariant(admitted.anchorId, 'the route has an anchor id in its path');
  return admitted.anchorId;
}

const tooBusy: AdmissionFailure = {
  code: 'busy',
  fault: 'caller',
  message: 'too many bytes of this hotkey are under way',
};

export const HANDLERS: { readonly [Id in RouteId]: Handler<Id> } = {
  health(ports, { response }) {
    sendBytes(response, 200, 'application/json', healthBody(ports));
    return undefined;
  },

  signedHealth(ports, { query, response }) {
    const body = healthBody(ports);
    const { signer } = ports;
    const signature = signer.sign(healthStatement(query.nonce, signer.hotkey, sha256(body)));
    sendBytes(response, 200, 'application/json', body, { [HEALTH_SIGNATURE_HEADER]: toHex(signature) });
    return undefined;
  },

  hello({ signer, address }, { admitted, query, request, response }) {
    const { caller } = admitted;
    const port = address.port ?? request.socket.localPort;
    invariant(caller && port, 'hello is signed, over a connection');
    const statement = encodeHello({ nonce: query.nonce, caller, miner: signer.hotkey, ip: address.ip, port });
    sendBytes(response, 200, OCTETS, signStatement(signer, statement));
    return undefined;
  },

  async storeShards({ store, clock, draining }, { admitted, query, response, reader }) {
    if (!admitted.addBytes(query.max)) return tooBusy;
    const reserved = store.reserve(parties(admitted).tenant, query.max);
    if (!reserved.ok) return reserved.failure;
    const reservation = reserved.value;
    const body = reader();
    const end = () => body.stop();
    const overdue = setTimeout(end, STREAM_TOTAL_MS);
    draining.addEventListener('abort', end, { once: true });
    try {
      // The early answer: a caller has few slots for requests that wait for headers (platform.md).
      startStream(response, 202, FRAMES_TYPE);
      await storeShards(store, clock, {
        ...parties(admitted),
        order: query.order,
        type: query.type ?? POR_ANCHOR_TYPE,
        reservation,
        next: (idleMs, due) => body.next(idleMs, due),
        reply: (bytes) => writeAll(response, bytes),
        draining: () => draining.aborted,
      });
      response.end();
    } finally {
      clearTimeout(overdue);
      draining.removeEventListener('abort', end);
      reservation.release();
    }
    return undefined;
  },

  async storeShard({ store, clock }, { admitted, query, response, reader }) {
    if (!admitted.addBytes(query.bytes)) return tooBusy;
    const { caller, tenant } = parties(admitted);
    const reserved = store.reserve(tenant, query.bytes);
    if (!reserved.ok) return reserved.failure;
    try {
      const { order, bytes, ref, hold: holdUntilMs, label = new Uint8Array(0), type = POR_ANCHOR_TYPE } = query;
      const shard = { tenant, caller, order, anchorId: anchorOf(admitted), bytes, ref, holdUntilMs, label, type };
      const next = () => reader().next(IDLE_MS, Number.POSITIVE_INFINITY);
      const { body } = admitted;
      const stored = await storeShard(store, clock, { ...shard, body, reservation: reserved.value, next });
      if (!stored.ok) return stored.failure;
      sendBytes(response, 201, OCTETS, stored.value);
      return undefined;
    } finally {
      reserved.value.release();
    }
  },

  async readShard({ store }, { admitted, response }) {
    const shard = await store.openShard(parties(admitted).tenant, anchorOf(admitted));
    if (!shard.ok) return shard.failure;
    if (!admitted.addBytes(shard.value.bytes)) {
      await shard.value.handle.close();
      return tooBusy;
    }
    response.writeHead(200, shardHeaders(shard.value.bytes));
    await sendShard(shard.value, (bytes) => writeAll(response, bytes));
    response.end();
    return undefined;
  },

  async statShard({ store }, { admitted, response }) {
    const shard = await store.openShard(parties(admitted).tenant, anchorOf(admitted));
    if (!shard.ok) return shard.failure;
    await shard.value.handle.close();
    response.writeHead(200, shardHeaders(shard.value.bytes));
    response.end();
    return undefined;
  },

  async readShards({ store }, { admitted, response, reader }) {
    const body = await wholeBody(admitted, reader);
    if (!body) return { code: 'digest-mismatch', fault: 'caller', message: 'the body is not the signed one' };
    const anchorIds = parseAnchors(body, MAX_READ_ITEMS);
    if (!anchorIds)
      return { code: 'bad-request', fault: 'caller', message: `1 to ${MAX_READ_ITEMS} anchor ids are asked` };
    if (!admitted.addBytes(anchorIds.length * MAX_SHARD_BYTES)) return tooBusy;
    startStream(response, 200, OCTETS);
    await sendShards(store, parties(admitted).tenant, anchorIds, (bytes) => writeAll(response, bytes));
    response.end();
    return undefined;
  },

  readReceipt({ store }, { admitted, query, response }) {
    const { caller, tenant } = parties(admitted);
    const receipt = store.receipt(tenant, anchorOf(admitted), query.order, caller);
    if (!receipt.ok) return receipt.failure;
    sendBytes(response, 200, OCTETS, receipt.value);
    return undefined;
  },

  listShards({ store }, { admitted, query, response }) {
    const limit = query.limit ?? MAX_LIST_ITEMS;
    const rows = store.list(parties(admitted).tenant, query.cursor, limit + 1);
    const items = rows.slice(0, limit).map((row) => ({
      anchorId: row.anchorId,
      bytes: row.bytes,
      ref: row.ref.toString(),
      holdUntilMs: row.holdUntilMs,
      label: toBase64Url(row.label),
      state: row.dropped ? 'dropped' : 'held',
    }));
    const next = rows.length > limit ? items.at(-1)?.anchorId : undefined;
    sendBytes(response, 200, 'application/json', utf8(JSON.stringify({ items, ...(next ? { next } : {}) })));
    return undefined;
  },

  async drop({ store, network, verify, signer, clock }, { admitted, response, reader }) {
    const body = await wholeBody(admitted, reader);
    if (!body) return { code: 'digest-mismatch', fault: 'caller', message: 'the body is not the signed one' };
    const ports = { store, network, verify, hotkey: signer.hotkey, nowMs: () => clock.nowMs() };
    const receipt = carryOutDrop(ports, parties(admitted).tenant, body);
    if (!receipt.ok) return receipt.failure;
    sendBytes(response, 200, OCTETS, receipt.value);
    return undefined;
  },

  async challenge(ports, { admitted, response, reader }) {
    const { tenant } = parties(admitted);
    const body = await wholeBody(admitted, reader);
    if (!body) return { code: 'digest-mismatch', fault: 'caller', message: 'the body is not the signed one' };
    // A chain has one request at a time; a second one would only wait for the disk.
    if (ports.challenging.has(tenant)) return { ...tooBusy, message: 'a challenge of this tenant is under way' };
    ports.challenging.add(tenant);
    try {
      const answer = await answerChallenge(ports, tenant, body);
      if (!answer.ok) return answer.failure;
      sendBytes(response, 200, OCTETS, answer.value);
      return undefined;
    } finally {
      ports.challenging.delete(tenant);
    }
  },
};

const healthBody = ({ store, signer, version, draining, leaving }: MinerPorts): Uint8Array =>
  utf8(
    JSON.stringify({
      hotkey: signer.hotkey,
      version,
      role: 'miner',
      freeBytes: store.freeBytes,
      capacityBytes: store.capacityBytes,
      shards: store.shards,
      draining: draining.aborted || leaving(),
      ...(leaving() && { leaving: true }),
    }),
  );

const shardHeaders = (bytes: number) => ({
  'content-type': OCTETS,
  'content-length': bytes,
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
});

/** The body of a route that needs it whole; undefined when it is not the one that was signed. */
async function wholeBody(admitted: Admitted, reader: () => BodyReader): Promise<Uint8Array | undefined> {
  const { body } = admitted;
  if (body.kind === 'held') return body.bytes;
  if (body.kind !== 'digested') return new Uint8Array(0);
  const bytes = await reader().exactly(body.bytes, IDLE_MS);
  return toHex(sha256(bytes)) === body.digestHex ? bytes : undefined;
}
