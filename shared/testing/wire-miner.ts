/**
 * A small honest miner over node:http and memory, for tests of the miner client: it checks every request with the
 * wire's own checks and answers as protocol.md says. A test makes it dishonest by taking over single requests.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { concatBytes, fromBase64Url, fromHex, toBase64Url, toHex } from '#shared/primitives/bytes.ts';
import { type AnchorId, type Hotkey, type OrderId, parseAnchorId } from '#shared/primitives/ids.ts';
import type { Sr25519 } from '#shared/primitives/signer.ts';
import { parseOrder } from '#shared/proof/drop-order.ts';
import { encodeDrop } from '#shared/proof/drop-receipt.ts';
import { encodeHello } from '#shared/proof/hello.ts';
import { type Network, openSigned, signStatement } from '#shared/proof/statement.ts';
import { encodeStore, type StoreStatement } from '#shared/proof/store-receipt.ts';
import { bodyRule } from '#shared/wire/body-rule.ts';
import { verifyRequest } from '#shared/wire/btauth.ts';
import { checkGrant, GRANT_HEADER } from '#shared/wire/check-grant.ts';
import { type FrameHead, FrameParser } from '#shared/wire/frames.ts';
import { HEALTH_SIGNATURE_HEADER, healthStatement } from '#shared/wire/health.ts';
import { encodeProblem, PROBLEMS, type ProblemCode } from '#shared/wire/problem.ts';
import { ReplayGuard } from '#shared/wire/replay-guard.ts';
import { encodeItemHead, encodeReply } from '#shared/wire/replies.ts';

export interface WireMinerOptions {
  readonly sr25519: Sr25519;
  readonly seed: Uint8Array;
  readonly network: Network;
  readonly tenant: Hotkey;
}

interface Held {
  readonly head: FrameHead;
  readonly shard: Uint8Array;
  readonly order: OrderId;
  readonly caller: Hotkey;
}

/** Takes over a request when it returns true. */
export type Takeover = (request: IncomingMessage, response: ServerResponse) => boolean;

export async function startWireMiner({ sr25519, seed, network, tenant }: WireMinerOptions) {
  const signer = sr25519.signerFromSeed(seed);
  const guard = new ReplayGuard();
  const held = new Map<AnchorId, Held>();
  const sockets = new Set<Socket>();
  const active = new Set<ServerResponse>();
  let takeover: Takeover = () => false;
  let changeReceipt = (receipt: StoreStatement): StoreStatement => receipt;
  let seq = 0;

  const sha256 = async (bytes: Uint8Array) =>
    new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));

  function problem(response: ServerResponse, code: ProblemCode, detail?: string): void {
    const body = encodeProblem(code, detail);
    response.writeHead(PROBLEMS[code].status, {
      'content-type': 'application/problem+json',
      'content-length': body.length,
    });
    response.end(body);
  }

  function receiptFor({ head, order, caller }: Held): Uint8Array {
    const { anchorId, shardBytes: bytes, holdUntilMs } = head;
    const honest = {
      miner: signer.hotkey,
      tenant,
      caller,
      order,
      anchorId,
      bytes,
      seq: ++seq,
      storedAtMs: Date.now(),
      holdUntilMs,
    };
    return signStatement(signer, encodeStore(network, changeReceipt(honest)));
  }

  async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    return concatBytes(...chunks);
  }

  async function stream(
    request: IncomingMessage,
    response: ServerResponse,
    order: OrderId,
    caller: Hotkey,
  ): Promise<void> {
    response.writeHead(202, { 'content-type': 'application/vnd.filetao.frames' });
    response.flushHeaders();
    const parser = new FrameParser();
    let head: FrameHead | undefined;
    let pieces: Uint8Array[] = [];
    for await (const chunk of request) {
      for (const event of parser.push(chunk as Uint8Array)) {
        if (event.kind === 'refused') return void response.destroy();
        if (event.kind === 'frame') {
          head = event.head;
          pieces = [];
        }
        if (event.kind !== 'piece' || !head) continue;
        pieces.push(event.bytes.slice());
        if (!event.last) continue;
        const item = { head, shard: concatBytes(...pieces), order, caller };
        held.set(head.anchorId, item);
        response.write(encodeReply({ kind: 'receipt', ref: head.ref, body: receiptFor(item) }));
      }
    }
    response.end();
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (takeover(request, response)) return;
    const method = request.method ?? '';
    const target = request.url ?? '';
    const url = new URL(target, 'http://miner');
    const query = (name: string) => url.searchParams.get(name) ?? '';
    const header = (name: string) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    };
    const streaming = method === 'POST' && url.pathname === '/v1/shards';
    const rule = bodyRule(header, 5_000_000, streaming);
    if (!rule.ok) return problem(response, rule.failure.code, rule.failure.message);
    const body = streaming ? new Uint8Array(0) : await bodyOf(request);
    const digestHex = rule.value.kind === 'held' ? toHex(await sha256(body)) : rule.value.digestHex;
    if (!streaming && toHex(await sha256(body)) !== digestHex) return problem(response, 'digest-mismatch');
    const auth = await verifyRequest(
      { method, target, bodyDigestHex: digestHex, header },
      { hotkey: signer.hotkey, startedAtMs: 0 },
      Date.now(),
      {
        verify: sr25519.verify,
        schemeOf: () => 'sr25519',
        claimNonce: (caller, nonce) => guard.claim(caller, nonce, Date.now()),
      },
    );
    if (!auth.ok) return problem(response, auth.failure.code, auth.failure.message);
    const caller = auth.value;

    if (url.pathname === '/health') {
      const json = JSON.stringify({
        hotkey: signer.hotkey,
        version: '0.1.0',
        role: 'miner',
        freeBytes: 10,
        capacityBytes: 20,
        shards: held.size,
        draining: false,
      });
      const bytes = new TextEncoder().encode(json);
      const nonce = fromHex(query('nonce'), 32) ?? new Uint8Array(32);
      const signature = signer.sign(healthStatement(nonce, signer.hotkey, await sha256(bytes)));
      response.writeHead(200, { [HEALTH_SIGNATURE_HEADER]: toHex(signature), 'content-length': bytes.length });
      response.end(bytes);
      return;
    }
    if (url.pathname === '/v1/hello') {
      const nonce = fromHex(query('nonce'), 32) ?? new Uint8Array(32);
      const hello = { nonce, caller, miner: signer.hotkey, ip: 0x7f000001n, port: port() };
      response.end(signStatement(signer, encodeHello(hello)));
      return;
    }
    const right = method === 'PUT' || streaming || url.pathname.endsWith('/receipt') ? 'put' : 'get';
    const grant = checkGrant({
      network,
      grant: header(GRANT_HEADER),
      caller,
      isTenant: (hotkey) => hotkey === tenant,
      right,
      nowMs: Date.now(),
      verify: sr25519.verify,
    });
    if (!grant.ok) return problem(response, grant.failure.code, grant.failure.message);
    if (streaming) return stream(request, response, query('order') as OrderId, caller);
    if (url.pathname === '/v1/drops') return drops(response, body);
    if (url.pathname === '/v1/shards/read') return readMany(response, body);
    if (url.pathname === '/v1/shards') return list(response, Number(query('limit')), query('cursor'));
    const [, , , anchorText, leaf] = url.pathname.split('/');
    const anchorId = parseAnchorId(anchorText ?? '');
    if (!anchorId) return problem(response, 'unknown-route');
    if (method === 'PUT') {
      const head = {
        anchorId,
        shardBytes: body.length,
        ref: BigInt(query('ref')),
        holdUntilMs: Number(query('hold')),
        label: fromBase64Url(query('label')) ?? new Uint8Array(0),
      };
      const item = { head, shard: body, order: query('order') as OrderId, caller };
      held.set(anchorId, item);
      response.writeHead(201).end(receiptFor(item));
      return;
    }
    const item = held.get(anchorId);
    if (!item || (leaf === 'receipt' && item.order !== query('order'))) return problem(response, 'absent');
    if (leaf === 'receipt') return void response.end(receiptFor(item));
    response.writeHead(200, { 'content-length': item.shard.length });
    response.end(method === 'HEAD' ? undefined : item.shard);
  }

  async function drops(response: ServerResponse, body: Uint8Array): Promise<void> {
    const opened = openSigned(
      sr25519.verify,
      'order',
      body,
      (bytes) => parseOrder(network, bytes),
      () => tenant,
    );
    if (!opened.ok) return problem(response, 'bad-order', opened.failure.message);
    const orderHash = await sha256(body.subarray(0, body.length - 64));
    const items = opened.value.anchorIds.map((anchorId) => ({
      anchorId,
      state: held.delete(anchorId) ? ('held' as const) : ('absent' as const),
    }));
    const receipt = { miner: signer.hotkey, orderHash, seq: ++seq, atMs: Date.now(), eraseAtMs: Date.now(), items };
    response.end(signStatement(signer, encodeDrop(network, receipt)));
  }

  function readMany(response: ServerResponse, body: Uint8Array): void {
    for (let at = 0; at < body.length; at += 32) {
      const item = held.get(toHex(body.subarray(at, at + 32)) as AnchorId);
      const bytes = item ? item.shard : encodeProblem('absent');
      response.write(encodeItemHead(item ? 'shard' : 'problem', bytes.length));
      response.write(bytes);
    }
    response.end();
  }

  function list(response: ServerResponse, limit: number, cursor: string): void {
    const from = cursor === '' ? 0 : Number(cursor);
    const items = [...held.values()].slice(from, from + limit).map(({ head, shard }) => ({
      anchorId: head.anchorId,
      bytes: shard.length,
      ref: head.ref.toString(),
      holdUntilMs: head.holdUntilMs,
      label: toBase64Url(head.label),
      state: 'held',
    }));
    response.end(JSON.stringify({ items, ...(from + limit < held.size ? { next: String(from + limit) } : {}) }));
  }

  const server = createServer((request, response) => {
    active.add(response);
    response.on('close', () => active.delete(response));
    // A client that leaves is no news here.
    response.on('error', () => undefined);
    answer(request, response).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = () => (server.address() as AddressInfo).port;

  return {
    hotkey: signer.hotkey,
    signer,
    port: port(),
    url: `http://127.0.0.1:${port()}`,
    held,
    /** Connections that are open now. */
    sockets,
    /** Requests that are neither answered to the end nor left by their client. */
    active,
    /** From now on `take` sees every request first; without an argument the miner is honest again. */
    takeOver(take?: Takeover): void {
      takeover = take ?? (() => false);
    },
    /** What it signs instead of an honest receipt; without an argument it is honest again. */
    forgeReceipts(change?: (receipt: StoreStatement) => StoreStatement): void {
      changeReceipt = change ?? ((receipt) => receipt);
    },
    close(): Promise<void> {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
