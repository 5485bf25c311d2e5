/**
 * From a parent to the next block: start (time, prices, epochs), then each extrinsic in its own overlay, then events.
 * Pure: the state comes in as a view, what changed goes out; the caller gives the time and keeps the result.
 */

import { RUNTIME, storageOf } from '../metadata/runtime-declaration.ts';
import { encode } from '../scale/encode.ts';
import type { ScaleValue } from '../scale/type.ts';
import { type Changes, Overlay, type StateView } from '../state/state-view.ts';
import { storageKey } from '../state/storage-key.ts';
import { bumpNonce, burn } from './accounts.ts';
import { checkCall, paysFee, runCall } from './calls.ts';
import { type ChainEvent, type Context, dispatchError, type Inspection, type Rules } from './context.ts';
import { stepSubnet } from './epoch.ts';
import type { Extrinsic } from './extrinsic.ts';
import { unsignedExtrinsic } from './extrinsic.ts';
import { canPay, DISPATCH_WEIGHT, feeOf, totalFee } from './fees.ts';
import { Subnet, System, Timestamp } from './items.ts';
import { decayBurn } from './registration.ts';
import { customOf, type Invalidity } from './validity.ts';

export interface Parent {
  readonly number: number;
  readonly hash: Uint8Array;
  readonly state: StateView;
}
export interface BlockInput {
  readonly nowMs: number;
  readonly rules: Rules;
  /** Subnets that have epochs. */
  readonly netuids: readonly number[];
  /** In order of execution; their signatures have been checked. */
  readonly extrinsics: readonly Extrinsic[];
}
export interface BlockBody {
  readonly number: number;
  readonly extrinsics: readonly Uint8Array[];
  readonly changes: Changes;
  readonly included: readonly Extrinsic[];
  /** Extrinsics that had become invalid and are not in the block. */
  readonly rejected: readonly { readonly extrinsic: Extrinsic; readonly why: Invalidity }[];
}

type Phase = number | 'Initialization';
interface Recorded {
  readonly phase: Phase;
  readonly event: ChainEvent;
}
/** The real chain's `BlockHashCount`. */
const BLOCK_HASHES_KEPT = 2400;
const EVENTS = RUNTIME.types.get('Vec<EventRecord>');
const EVENTS_KEY = storageKey(storageOf('System', 'Events'), []);

/** What an extrinsic must fulfil to run now, apart from its signature; a nonce ahead is `future`. */
export function validate(inspection: Inspection, extrinsic: Extrinsic): Invalidity | undefined {
  const { state } = inspection;
  const account = System.account.get(state, extrinsic.signer);
  if (paysFee(extrinsic.call) && account.providers === 0) return { code: 'invalid', reason: 'payment' };
  if (extrinsic.nonce < account.nonce) return { code: 'invalid', reason: 'stale' };
  const fee = totalFee(feeOf(extrinsic.call, extrinsic.bytes.length), extrinsic.tip);
  if (!canPay(state, extrinsic.signer, fee)) return { code: 'invalid', reason: 'payment' };
  const failure = checkCall(inspection, extrinsic.signer, extrinsic.call);
  if (failure) return customOf(failure);
  return extrinsic.nonce > account.nonce ? { code: 'invalid', reason: 'future' } : undefined;
}

export function executeBlock(parent: Parent, input: BlockInput): BlockBody {
  const number = parent.number + 1;
  const state = new Overlay(parent.state);
  const recorded: Recorded[] = [];
  const contextOf = (overlay: Overlay, phase: Phase, into: Recorded[]): Context => ({
    state: overlay,
    block: number,
    rules: input.rules,
    emit: (event) => into.push({ phase, event }),
  });
  startBlock(contextOf(state, 'Initialization', recorded), parent, input.netuids);

  const extrinsics: Uint8Array[] = [];
  const included: Extrinsic[] = [];
  const rejected: { extrinsic: Extrinsic; why: Invalidity }[] = [];
  const setTime = { type: 'Timestamp', value: { type: 'set', value: { now: BigInt(input.nowMs) } } };
  extrinsics.push(unsignedExtrinsic(setTime));
  Timestamp.now.put(state, BigInt(input.nowMs));
  recorded.push({ phase: 0, event: success('Mandatory', false) });

  for (const extrinsic of input.extrinsics) {
    const phase = extrinsics.length;
    const events: Recorded[] = [];
    const context = contextOf(new Overlay(state), phase, events);
    const why = validate(context, extrinsic);
    if (why) {
      rejected.push({ extrinsic, why });
      continue;
    }
    apply(context, extrinsic, (overlay, into) => contextOf(overlay, phase, into), events);
    state.absorb(context.state.changes);
    recorded.push(...events);
    extrinsics.push(extrinsic.bytes);
    included.push(extrinsic);
  }
  putEvents(state, recorded);
  return { number, extrinsics, changes: state.changes, included, rejected };
}

function startBlock(context: Context, parent: Parent, netuids: readonly number[]): void {
  const { state, block } = context;
  System.number.put(state, block);
  System.parentHash.put(state, parent.hash);
  System.blockHash.put(state, parent.hash, parent.number);
  if (parent.number >= BLOCK_HASHES_KEPT) System.blockHash.remove(state, parent.number - BLOCK_HASHES_KEPT);
  for (const netuid of netuids) {
    if (Subnet.registrationsThisBlock.get(state, netuid) > 0) Subnet.registrationsThisBlock.put(state, 0, netuid);
    decayBurn(context, netuid);
    stepSubnet(context, netuid);
  }
}

/** Nonce and fee stay whatever the call does; a failed call leaves nothing else. */
function apply(
  context: Context,
  extrinsic: Extrinsic,
  contextOf: (overlay: Overlay, into: Recorded[]) => Context,
  events: Recorded[],
): void {
  const { signer, call, tip } = extrinsic;
  bumpNonce(context, signer);
  const fee = totalFee(feeOf(call, extrinsic.bytes.length), tip);
  burn(context, signer, fee);
  const inner = new Overlay(context.state);
  const callEvents: Recorded[] = [];
  const failure = runCall(contextOf(inner, callEvents), signer, call);
  if (!failure) {
    context.state.absorb(inner.changes);
    events.push(...callEvents);
  }
  const pays = paysFee(call);
  if (fee > 0n) {
    context.emit({
      pallet: 'TransactionPayment',
      name: 'TransactionFeePaid',
      value: { who: signer, actual_fee: fee, tip },
    });
  }
  if (!failure) context.emit(success('Normal', pays));
  else {
    const value = { dispatch_error: dispatchError(failure), dispatch_info: dispatchInfo('Normal', pays) };
    context.emit({ pallet: 'System', name: 'ExtrinsicFailed', value });
  }
}

const dispatchInfo = (dispatchClass: string, pays: boolean): ScaleValue => ({
  weight: DISPATCH_WEIGHT,
  class: { type: dispatchClass },
  pays_fee: { type: pays ? 'Yes' : 'No' },
});
const success = (dispatchClass: string, pays: boolean): ChainEvent => ({
  pallet: 'System',
  name: 'ExtrinsicSuccess',
  value: { dispatch_info: dispatchInfo(dispatchClass, pays) },
});

function putEvents(state: Overlay, recorded: readonly Recorded[]): void {
  const records = recorded.map(({ phase, event }) => ({
    phase: typeof phase === 'number' ? { type: 'ApplyExtrinsic', value: phase } : { type: phase },
    event: { type: event.pallet, value: { type: event.name, value: event.value } },
    topics: [],
  }));
  state.write(EVENTS_KEY, encode(EVENTS, records));
  System.eventCount.put(state, records.length);
}
