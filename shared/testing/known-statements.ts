/**
 * The known statements of `test/vectors/coding-v1.json` as decoded values: tests round-trip them, forge them, and
 * start from them where any valid statement will do.
 */
import { fromHex } from '#shared/primitives/bytes.ts';
import { type AnchorId, hotkeyOf, type OrderId } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import type { AuditRecord } from '#shared/proof/audit-record.ts';
import type { ChallengeRequest } from '#shared/proof/challenge-request.ts';
import type { DropOrder } from '#shared/proof/drop-order.ts';
import type { DropReceipt } from '#shared/proof/drop-receipt.ts';
import type { Grant } from '#shared/proof/grant.ts';
import type { Hello } from '#shared/proof/hello.ts';
import type { Network } from '#shared/proof/statement.ts';
import type { StoreStatement } from '#shared/proof/store-receipt.ts';
import vectors from '../../test/vectors/coding-v1.json' with { type: 'json' };

const bytes = (text: string): Uint8Array => fromHex(text) as Uint8Array;
const key = (text: string) => hotkeyOf(bytes(text));
const { fields, statements, round } = vectors;
export const knownNetwork: Network = { genesis: bytes(round.genesis), netuid: round.netuid };
const anchorId = fields.anchorId as AnchorId;
const order = fields.order as OrderId;
const tenant = key(fields.validator);
const miner = key(fields.miner);
const edge = key(fields.edge);

export const knownGrant: Grant = {
  validator: tenant,
  edge,
  put: true,
  get: true,
  fromMs: fields.grantFromMs,
  untilMs: fields.grantUntilMs,
};
export const knownHello: Hello = {
  nonce: bytes(fields.helloNonce),
  caller: edge,
  miner,
  ip: 0xcb007107n,
  port: fields.helloPort,
};
export const knownStore: StoreStatement = {
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
export const knownDropOrder: DropOrder = {
  tenant,
  miner,
  order,
  issuedAtMs: fields.issuedAtMs,
  action: 'drop',
  reason: fields.reason,
  anchorIds: [anchorId],
};
export const knownDropReceipt: DropReceipt = {
  miner,
  orderHash: sha256(bytes(statements.dropOrder.bytes)),
  seq: fields.dropSeq,
  atMs: fields.atMs,
  eraseAtMs: fields.eraseAtMs,
  items: [{ anchorId, state: 'held' }],
};
export const knownRequest: ChallengeRequest = {
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

export const knownRecord: AuditRecord = {
  request: knownRequest,
  sentAtMs: vectors.record.sentAtMs,
  elapsedMs: vectors.record.elapsedMs,
  answerSignature: new Uint8Array(64).fill(0x0c),
  items: knownRequest.items.map((_, i) => ({
    verdict: i === 2 ? 'missing' : 'passed',
    bodyHash: new Uint8Array(32).fill(i),
  })),
  transcript: new Uint8Array(32).fill(0x0d),
};
