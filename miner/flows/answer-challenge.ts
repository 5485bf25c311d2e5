/**
 * Answers a tenant's challenge (por/v1 §§4–7): opens request and record, remembers both, proves what is here and
 * declares missing what is not: absent, dropped, unreadable, or no longer the bytes that were stored. A salt that
 * breaks its commit is answered too, and kept as evidence. Work is bounded by the request's own limits: 30 leaves, or
 * 256 shards of two leaves in a sweep; each leaf costs one read of 16 KiB.
 */
import type { Log } from '#shared/primitives/effects.ts';
import { fail, type Result, succeed } from '#shared/primitives/failure.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { Signer, VerifySr25519 } from '#shared/primitives/signer.ts';
import { leafCount } from '#shared/proof/anchor.ts';
import { parseRecord } from '#shared/proof/audit-record.ts';
import { type AnswerItem, signAnswer } from '#shared/proof/challenge-answer.ts';
import { type ChallengeRequest, parseRequest, type RequestItem } from '#shared/proof/challenge-request.ts';
import { sampleLeaves } from '#shared/proof/sample.ts';
import { contextOf, seedOf } from '#shared/proof/seed.ts';
import { type Network, openSigned, SIGNATURE_BYTES } from '#shared/proof/statement.ts';
import { parseChallengeBody } from '#shared/wire/challenge-body.ts';
import type { AdmissionFailure } from '../admission/admit.ts';
import type { ShardStore } from '../store/shard-store.ts';

export interface ChallengePorts {
  readonly store: ShardStore;
  readonly signer: Signer;
  readonly verify: VerifySr25519;
  readonly network: Network;
  readonly log: Log;
}

/** Shards that are read at once: enough to keep a disk busy, few enough that others are served in between. */
const SHARDS_AT_ONCE = 8;

const refuse = (message: string) => fail<AdmissionFailure>({ code: 'bad-challenge', fault: 'caller', message });

/** @param body as it came; the caller knows that the tenant itself sent it */
export async function answerChallenge(
  ports: ChallengePorts,
  tenant: Hotkey,
  body: Uint8Array,
): Promise<Result<Uint8Array, AdmissionFailure>> {
  const { store, network, verify, signer, log } = ports;
  const parts = parseChallengeBody(body);
  if (!parts) return refuse('the body is cut short');
  const parse = (bytes: Uint8Array) => parseRequest(network, bytes);
  const opened = openSigned(verify, 'request', parts.request, parse, (request) => request.validator);
  if (!opened.ok) return refuse(opened.failure.message);
  const request = opened.value;
  if (request.validator !== tenant) return refuse(`the request is ${request.validator}'s`);
  if (request.miner !== signer.hotkey) return refuse(`the request is for ${request.miner}`);
  const record =
    parts.record &&
    openSigned(
      verify,
      'record',
      parts.record,
      (bytes) => parseRecord(network, bytes),
      () => tenant,
    );
  if (record && !record.ok) return refuse(record.failure.message);
  if (record && (record.value.request.validator !== tenant || record.value.request.miner !== signer.hotkey)) {
    return refuse('the record is of another chain');
  }

  const contradictions = store.noteChallenge(
    tenant,
    { value: request, signed: parts.request.slice() },
    record && parts.record ? { value: record.value, signed: parts.record.slice() } : undefined,
  );
  for (const kind of contradictions) log.warn('validator-contradicts-itself', { tenant, round: request.round, kind });
  const items = await proveAll(ports, tenant, request);
  return succeed(signAnswer(signer, parts.request.subarray(0, parts.request.length - SIGNATURE_BYTES), items));
}

async function proveAll(ports: ChallengePorts, tenant: Hotkey, request: ChallengeRequest): Promise<AnswerItem[]> {
  const context = contextOf(request);
  const items: AnswerItem[] = [];
  for (let from = 0; from < request.items.length; from += SHARDS_AT_ONCE) {
    const some = request.items.slice(from, from + SHARDS_AT_ONCE);
    items.push(...(await Promise.all(some.map((item) => proveOne(ports, tenant, request, context, item)))));
  }
  return items;
}

async function proveOne(
  { store, network, log }: ChallengePorts,
  tenant: Hotkey,
  request: ChallengeRequest,
  context: Uint8Array,
  { anchorId, leaves }: RequestItem,
): Promise<AnswerItem> {
  try {
    const shard = await store.openForProof(tenant, anchorId);
    if (!shard) return undefined;
    try {
      const seed = seedOf(network, request, anchorId, context);
      const indices = sampleLeaves(seed, leafCount(shard.bytes), leaves);
      const body = await shard.prove(seed, indices);
      if (body.ok) return body.value;
      log.error('shard-rotten', { tenant, anchorId, reason: body.failure.message });
      return undefined;
    } finally {
      await shard.close();
    }
  } catch (error) {
    // A disk that cannot be read holds nothing that could be proven.
    log.error('shard-unreadable', { tenant, anchorId, error: String(error) });
    return undefined;
  }
}
