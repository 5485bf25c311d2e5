/**
 * Whether a request may go on, in one place and in one order: route, query, size, shape of the signature, grant, room
 * for this caller, then the signature itself and the nonce (bittensor.md's order; cheap checks before dear ones, and
 * nothing of a body is read for a stranger). Called by the server for each request, before any flow.
 */

import { toHex } from '#shared/primitives/bytes.ts';
import { type Failure, fail, type Result, succeed } from '#shared/primitives/failure.ts';
import type { AnchorId, Hotkey } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import type { VerifySr25519 } from '#shared/primitives/signer.ts';
import type { Network } from '#shared/proof/statement.ts';
import { type BodyRule, bodyRule } from '#shared/wire/body-rule.ts';
import { checkEnvelope, checkSignature, type Envelope, type ReceivedRequest } from '#shared/wire/btauth.ts';
import { checkGrant, GRANT_HEADER } from '#shared/wire/check-grant.ts';
import { MAX_TARGET_CHARS } from '#shared/wire/limits.ts';
import type { ProblemCode } from '#shared/wire/problem.ts';
import type { ReplayGuard } from '#shared/wire/replay-guard.ts';
import type { CallerLoad, SecondBudget } from './caller-load.ts';
import { matchRoute, ROUTES, type RouteId, splitQuery } from './routes.ts';

export interface Admission {
  readonly hotkey: Hotkey;
  readonly startedAtMs: number;
  readonly network: Network;
  readonly verify: VerifySr25519;
  /** The same for grants, which repeat. */
  readonly verifyGrant: VerifySr25519;
  readonly isTenant: (hotkey: Hotkey) => boolean;
  readonly nowMs: () => number;
  readonly replays: ReplayGuard;
  readonly load: CallerLoad;
  readonly strangers: SecondBudget;
  readonly draining: () => boolean;
  readonly leaving: () => boolean;
}

export interface AdmissionFailure extends Failure {
  readonly code: ProblemCode;
  /** Methods that the path knows, for 405. */
  readonly allow?: readonly string[];
}

/** A request that may go on. `leave` must be called when it is over, however it ends. */
export interface Admitted {
  readonly route: RouteId;
  readonly anchorId: AnchorId | undefined;
  readonly query: unknown;
  /** Undefined only where anyone may call. */
  readonly caller: Hotkey | undefined;
  /** Whose shards the caller may touch; undefined where no shard is touched. */
  readonly tenant: Hotkey | undefined;
  readonly body:
    | { readonly kind: 'none' | 'stream' }
    | { readonly kind: 'held'; readonly bytes: Uint8Array }
    /** Still to be read; its digest must be compared at the end. */
    | { readonly kind: 'digested'; readonly bytes: number; readonly digestHex: string };
  /** Counts bytes under way for this caller; false when it has too many. */
  addBytes(bytes: number): boolean;
  leave(): void;
}

const refuse = (code: ProblemCode, message: string, allow?: readonly string[]) =>
  fail<AdmissionFailure>({ code, fault: 'caller', message, ...(allow ? { allow } : {}) });

/** Reads exactly so many bytes (at most 64 KiB), or says why they did not come. */
export type ReadBody = (bytes: number) => Promise<Result<Uint8Array, AdmissionFailure>>;

const NOTHING = new Uint8Array(0);

export async function admit(
  admission: Admission,
  request: ReceivedRequest,
  arrivedAtMs: number,
  readBody: ReadBody,
): Promise<Result<Admitted, AdmissionFailure>> {
  // 1. what is asked
  if (request.target.length > MAX_TARGET_CHARS) return refuse('target-too-long', `at most ${MAX_TARGET_CHARS}`);
  const matched = matchRoute(request.method, request.target);
  if (matched.kind === 'unknown-route') return refuse('unknown-route', 'see docs/protocol.md for what there is');
  if (matched.kind === 'method-not-allowed') return refuse('method-not-allowed', 'see Allow', matched.allow);
  const route = ROUTES[matched.id];
  // An unsigned request learns nothing but that: its query is not judged.
  const envelope = route.access === 'anyone' ? undefined : checkEnvelope(request, admission, arrivedAtMs);
  if (envelope && !envelope.ok) return envelope;
  const pairs = splitQuery(matched.query);
  const query = pairs && route.query.safeParse(pairs);
  if (!query?.success) return refuse('bad-target', query ? firstIssue(query.error) : 'the query is malformed');
  if (admission.draining() && !('whileDraining' in route)) return refuse('draining', 'this miner is shutting down');
  if (route.access === 'put' && admission.leaving()) return refuse('draining', 'this miner is leaving the network');
  const rule = bodyRule(request.header, route.maxBodyBytes, 'stream' in route);
  if (!rule.ok) return rule;
  const known = { route: matched.id, anchorId: matched.anchorId, query: query.data };
  if (!envelope) {
    const body = { kind: 'none' } as const;
    return succeed({ ...known, caller: undefined, tenant: undefined, body, addBytes: () => true, leave() {} });
  }

  // 2. who asks, and for which tenant
  const { caller } = envelope.value;
  const tenant = tenantFor(admission, matched.id, caller, request.header(GRANT_HEADER));
  if (!tenant.ok) return tenant;

  // 3. room, then the dear part
  const slot = admission.load.enter(caller);
  if (!slot) return refuse('busy', 'too many requests of this hotkey are under way');
  const body = await checkBody(admission, envelope.value, rule.value, readBody);
  if (!body.ok) {
    slot.leave();
    return body;
  }
  return succeed({ ...known, caller, tenant: tenant.value, body: body.value, ...slot });
}

/** The signature over the body's digest; the nonce. A small body without a digest is read before. */
async function checkBody(
  admission: Admission,
  envelope: Envelope,
  rule: BodyRule,
  readBody: ReadBody,
): Promise<Result<Admitted['body'], AdmissionFailure>> {
  const held = rule.kind === 'held' ? await readBody(rule.bytes) : undefined;
  if (held && !held.ok) return held;
  const digestHex = rule.kind === 'held' ? toHex(sha256(held?.value ?? NOTHING)) : rule.digestHex;
  const checked = await checkSignature(envelope, digestHex, {
    verify: admission.verify,
    // Every hotkey of this network is sr25519 (por/v1 §9).
    schemeOf: () => 'sr25519',
    claimNonce: (sender, nonce) => admission.replays.claim(sender, nonce, admission.nowMs()),
  });
  if (!checked.ok) return checked;
  return succeed(rule.kind === 'held' ? { kind: 'held', bytes: held?.value ?? NOTHING } : rule);
}

function firstIssue(error: { readonly issues: readonly { path: PropertyKey[]; message: string }[] }): string {
  const issue = error.issues[0];
  return issue ? `${issue.path.join('.') || 'query'}: ${issue.message}` : 'the query is malformed';
}

function tenantFor(
  admission: Admission,
  route: RouteId,
  caller: Hotkey,
  grant: string | undefined,
): Result<Hotkey | undefined, AdmissionFailure> {
  const { access } = ROUTES[route];
  const { isTenant, network, verifyGrant: verify, nowMs, strangers } = admission;
  if (access === 'put' || access === 'get') {
    return checkGrant({ network, grant, caller, isTenant, right: access, nowMs: nowMs(), verify });
  }
  if (access === 'tenant') {
    return isTenant(caller) ? succeed(caller) : refuse('not-tenant', `${caller} is no tenant of this miner`);
  }
  if (isTenant(caller) || strangers.take(nowMs())) return succeed(undefined);
  return refuse('busy', 'too many strangers are asking');
}
