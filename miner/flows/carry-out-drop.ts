/**
 * A drop or restore order from the wire: parsed, its signature and its fit checked, then carried out by the store.
 * Only the tenant whose request this is may have signed it, for this miner, lately (por/v1 §9).
 */
import { fail, type Result } from '#shared/primitives/failure.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import type { VerifySr25519 } from '#shared/primitives/signer.ts';
import { parseOrder } from '#shared/proof/drop-order.ts';
import { type Network, openSigned, SIGNATURE_BYTES } from '#shared/proof/statement.ts';
import { MAX_DROP_ITEMS, NONCE_FUTURE_MS } from '#shared/wire/limits.ts';
import type { AdmissionFailure } from '../admission/admit.ts';
import type { ShardStore } from '../store/shard-store.ts';

/**
 * An order is carried out within this long of its issue. Orders already carried out are remembered twice as long, so
 * that none is carried out twice; a tenant whose order came too late issues a new one.
 */
export const MAX_ORDER_AGE_MS = 60 * 60 * 1000;

const refuse = (message: string) => fail<AdmissionFailure>({ code: 'bad-order', fault: 'caller', message });

export function carryOutDrop(
  ports: {
    readonly store: ShardStore;
    readonly network: Network;
    readonly verify: VerifySr25519;
    readonly hotkey: Hotkey;
    readonly nowMs: () => number;
  },
  tenant: Hotkey,
  signed: Uint8Array,
): Result<Uint8Array, AdmissionFailure> {
  const { store, network, verify, hotkey, nowMs } = ports;
  const opened = openSigned(
    verify,
    'order',
    signed,
    (bytes) => parseOrder(network, bytes),
    (order) => order.tenant,
  );
  if (!opened.ok) return refuse(opened.failure.message);
  const order = opened.value;
  if (order.tenant !== tenant) return refuse(`the order is ${order.tenant}'s`);
  if (order.miner !== hotkey) return refuse(`the order is for ${order.miner}`);
  if (order.issuedAtMs > nowMs() + NONCE_FUTURE_MS) return refuse('the order was issued in the future');
  if (order.issuedAtMs < nowMs() - MAX_ORDER_AGE_MS) return refuse('the order is too old; issue a new one');
  if (order.anchorIds.length > MAX_DROP_ITEMS) return refuse(`an order names at most ${MAX_DROP_ITEMS} shards`);
  return store.carryOut(order, sha256(signed.subarray(0, signed.length - SIGNATURE_BYTES)));
}
