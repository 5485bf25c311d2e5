/**
 * Store receipts as the client believes them: right length and tag, this network, signed by this miner, and every
 * field equal to what was sent (por/v1 §9). Anything else is not a receipt.
 */
import { toHex } from '#shared/primitives/bytes.ts';
import { fail, type Result, succeed } from '#shared/primitives/failure.ts';
import type { AnchorId, Hotkey, OrderId } from '#shared/primitives/ids.ts';
import type { VerifySr25519 } from '#shared/primitives/signer.ts';
import { type Network, openSigned } from '#shared/proof/statement.ts';
import { parseStore, type StoreStatement } from '#shared/proof/store-receipt.ts';
import { minerFailure } from './miner-failure.ts';
import type { MinerFailure, StoreReceipt } from './ports.ts';

/** What a right receipt says. */
export interface ExpectedReceipt {
  readonly network: Network;
  readonly miner: Hotkey;
  readonly tenant: Hotkey;
  readonly caller: Hotkey;
  readonly order: OrderId;
  readonly anchorId: AnchorId;
  readonly bytes: number;
  /** It must be held at least so long; 0 when what was asked is not known any more. */
  readonly holdUntilMs: number;
}

const EQUAL = ['miner', 'tenant', 'caller', 'order', 'anchorId', 'bytes'] as const satisfies (keyof StoreStatement)[];

export function checkReceipt(
  signed: Uint8Array,
  expected: ExpectedReceipt,
  verify: VerifySr25519,
): Result<StoreReceipt, MinerFailure> {
  const refuse = (message: string) => fail(minerFailure(expected.miner, 'forged', message));
  const parse = (statement: Uint8Array) => parseStore(expected.network, statement);
  // The fields first: they are cheap, the signature costs about a millisecond in a Worker.
  const fields = parse(signed.subarray(0, Math.max(0, signed.length - 64)));
  // What is no receipt at all may be a cut connection's doing; one that says something else is the miner's.
  if (!fields.ok) return fail(minerFailure(expected.miner, 'broken', fields.failure.message));
  const store = fields.value;
  for (const field of EQUAL) {
    if (store[field] !== expected[field]) return refuse(`the receipt's ${field} is not what was sent`);
  }
  if (store.holdUntilMs < expected.holdUntilMs) return refuse('the receipt promises a shorter hold than was asked');
  const opened = openSigned(verify, 'store', signed, parse, () => expected.miner);
  if (!opened.ok) return refuse(opened.failure.message);
  return succeed({ anchorId: store.anchorId, signed, seq: store.seq });
}

/** tag₂₅ genesis₃₂ u32 miner₃₂ tenant₃₂ caller₃₂ order₁₆ stand before the anchor. */
const ANCHOR_AT = 25 + 32 + 4 + 32 + 32 + 32 + 16;

/** Which shard a receipt speaks of, unverified: to find what it must be checked against. */
export const anchorOfReceipt = (signed: Uint8Array): AnchorId =>
  toHex(signed.subarray(ANCHOR_AT, ANCHOR_AT + 32)) as AnchorId;
