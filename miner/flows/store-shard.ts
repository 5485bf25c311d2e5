/**
 * One shard in one plain request, the fallback when streams break. The body's digest was checked or announced by the
 * signature; an announced one is compared here before anything is committed (protocol.md §1, §2).
 */
import { createHash } from 'node:crypto';
import type { Clock } from '#shared/primitives/effects.ts';
import { fail, type Result } from '#shared/primitives/failure.ts';
import type { AnchorType } from '#shared/proof/any-anchor.ts';
import { BLIND_KEY_BYTES, ZK_ANCHOR_TYPE } from '#shared/proof/zk/zk-anchor.ts';
import type { AdmissionFailure, Admitted } from '../admission/admit.ts';
import { latestHoldMs } from '../admission/routes.ts';
import type { ShardOffer } from '../store/committer.ts';
import type { ShardStore } from '../store/shard-store.ts';
import type { Reservation } from '../store/space.ts';
import { refusedLength } from './store-shards.ts';

export interface SingleShard extends Omit<ShardOffer, 'tenantId'> {
  readonly type: AnchorType;
  readonly body: Admitted['body'];
  readonly reservation: Reservation;
  /** The body's next bytes, undefined at its end. */
  readonly next: () => Promise<Uint8Array | undefined>;
}

/** The signed receipt. Rejects when the body broke; nothing is then left. */
export async function storeShard(
  store: ShardStore,
  clock: Clock,
  upload: SingleShard,
): Promise<Result<Uint8Array, AdmissionFailure>> {
  const { body, next, reservation, type, ...offer } = upload;
  const announced = body.kind === 'digested' ? body.bytes : body.kind === 'held' ? body.bytes.length : 0;
  const before = type === ZK_ANCHOR_TYPE ? BLIND_KEY_BYTES : 0;
  if (announced !== before + offer.bytes) {
    return fail({
      code: 'length-mismatch',
      fault: 'caller',
      message: `bytes=${offer.bytes} and a body of ${announced}`,
    });
  }
  const refused = refusedLength(type, offer.bytes);
  if (refused) return fail({ code: 'bad-target', fault: 'caller', message: refused });
  if (offer.holdUntilMs > latestHoldMs(clock.nowMs())) {
    return fail({ code: 'bad-target', fault: 'caller', message: 'hold lies too far in the future' });
  }
  if (store.isDropped(offer.tenant, offer.anchorId)) {
    return fail({ code: 'dropped', fault: 'caller', message: 'this anchor was dropped by its tenant' });
  }
  const incoming = await store.beginShard({ ...offer, type });
  try {
    if (body.kind === 'held') await incoming.write(body.bytes);
    if (body.kind === 'digested') {
      const hash = createHash('sha256');
      for (let chunk = await next(); chunk; chunk = await next()) {
        hash.update(chunk);
        await incoming.write(chunk);
      }
      if (hash.digest('hex') !== body.digestHex) {
        return fail({ code: 'digest-mismatch', fault: 'caller', message: 'the body is not the signed one' });
      }
    }
    const arrived = await incoming.finish();
    return arrived.ok ? await store.commit(offer, arrived.value, reservation) : arrived;
  } finally {
    await incoming.discard();
  }
}
