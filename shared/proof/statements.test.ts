import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '#shared/primitives/bytes.ts';
import { type AnchorId, hotkeyOf, type OrderId } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import vectors from '../../test/vectors/coding-v1.json' with { type: 'json' };
import { encodeRequest, parseRequest } from './challenge-request.ts';
import { encodeOrder, parseOrder } from './drop-order.ts';
import { encodeDrop, parseDrop } from './drop-receipt.ts';
import { encodeGrant, parseGrant } from './grant.ts';
import { encodeHello, parseHello } from './hello.ts';
import type { Network, Parsed } from './statement.ts';
import { encodeStore, parseStore } from './store-receipt.ts';

const bytes = (text: string): Uint8Array => fromHex(text) as Uint8Array;
const key = (text: string) => hotkeyOf(bytes(text));
const { fields, statements, round } = vectors;
const network: Network = { genesis: bytes(round.genesis), netuid: round.netuid };
const anchorId = fields.anchorId as AnchorId;
const order = fields.order as OrderId;
const tenant = key(fields.validator);
const miner = key(fields.miner);
const edge = key(fields.edge);

const grant = {
  validator: tenant,
  edge,
  put: true,
  get: true,
  fromMs: fields.grantFromMs,
  untilMs: fields.grantUntilMs,
};
const hello = { nonce: bytes(fields.helloNonce), caller: edge, miner, ip: 0xcb007107n, port: fields.helloPort };
const store = {
  miner,
  tenant,
  caller: edge,
  order,
  anchorId,
  bytes: fields.bytes,
  seq: fields.seq,
  storedAtMs: fields.storedAtMs,
  holdUntilMs: fields.holdUntilMs,
};
const dropOrder = {
  tenant,
  miner,
  order,
  issuedAtMs: fields.issuedAtMs,
  action: 'drop' as const,
  reason: fields.reason,
  anchorIds: [anchorId],
};
const dropReceipt = {
  miner,
  orderHash: sha256(bytes(statements.dropOrder.bytes)),
  seq: fields.dropSeq,
  atMs: fields.atMs,
  eraseAtMs: fields.eraseAtMs,
  items: [{ anchorId, state: 'held' as const }],
};
const request = {
  validator: key(round.validator),
  miner: key(round.miner),
  round: round.round,
  block: round.block,
  blockHash: bytes(round.blockHash),
  prevTranscript: bytes(round.prevTranscript),
  inventory: bytes(round.inventory),
  inventoryLeaves: round.inventoryLeaves,
  salt: bytes(round.salt),
  nextCommit: bytes(round.nextCommit),
  leaves: round.K,
  sweep: false,
  items: round.selected.map((item) => ({ anchorId: item.anchorId as AnchorId, leaves: item.k })),
};

interface Known {
  id: string;
  bytes: string;
  value: unknown;
  encoded: Uint8Array;
  parse(bytes: Uint8Array): Parsed<unknown>;
}
const known: Known[] = [
  {
    id: 'grant',
    bytes: statements.grant.bytes,
    value: grant,
    encoded: encodeGrant(network, grant),
    parse: (b) => parseGrant(network, b),
  },
  { id: 'hello', bytes: statements.hello.bytes, value: hello, encoded: encodeHello(hello), parse: parseHello },
  {
    id: 'store',
    bytes: statements.storeReceipt.bytes,
    value: store,
    encoded: encodeStore(network, store),
    parse: (b) => parseStore(network, b),
  },
  {
    id: 'order',
    bytes: statements.dropOrder.bytes,
    value: dropOrder,
    encoded: encodeOrder(network, dropOrder),
    parse: (b) => parseOrder(network, b),
  },
  {
    id: 'drop',
    bytes: statements.dropReceipt.bytes,
    value: dropReceipt,
    encoded: encodeDrop(network, dropReceipt),
    parse: (b) => parseDrop(network, b),
  },
  {
    id: 'request',
    bytes: statements.request.bytes,
    value: request,
    encoded: encodeRequest(network, request),
    parse: (b) => parseRequest(network, b),
  },
];

describe('the known answers of every statement', () => {
  it.each(known)('$id is encoded and parsed byte for byte', ({ bytes: hex, value, encoded, parse }) => {
    expect(toHex(encoded)).toBe(hex);
    expect(parse(encoded)).toEqual({ ok: true, value });
  });
});
