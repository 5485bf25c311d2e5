/**
 * Fees: a fixed part and a part by length, in rao; no weights are measured. Calls that the real chain takes for free
 * (weights, commits, reveals, serving) are free here too, except for a tip.
 */

import type { StateView } from '../state/state-view.ts';
import { EXISTENTIAL_DEPOSIT, freeBalance } from './accounts.ts';
import { type Call, paysFee } from './calls.ts';
import type { AccountId } from './items.ts';

const BASE_FEE = 100_000n;
const FEE_PER_BYTE = 10n;

export interface Fee {
  readonly base: bigint;
  readonly length: bigint;
}

export function feeOf(call: Call, bytes: number): Fee {
  return paysFee(call) ? { base: BASE_FEE, length: FEE_PER_BYTE * BigInt(bytes) } : { base: 0n, length: 0n };
}

export const totalFee = ({ base, length }: Fee, tip: bigint): bigint => base + length + tip;

/** A fee may not end the account that pays it. */
export const canPay = (state: StateView, who: AccountId, amount: bigint): boolean =>
  amount === 0n || freeBalance(state, who) >= amount + EXISTENTIAL_DEPOSIT;

/** Weights are not measured: every call says the same. */
export const DISPATCH_WEIGHT = { ref_time: 100_000_000n, proof_size: 0n };
