/**
 * What a call, a block's start and a genesis run with: the state they may change, the block they run in, where events
 * go. Expected failures of a call are values: a named error of a pallet, exactly as the real chain would report it.
 */
import { invariant } from '#shared/primitives/failure.ts';
import { palletOf } from '../metadata/runtime-declaration.ts';
import type { ScaleValue } from '../scale/type.ts';
import type { Overlay, StateView } from '../state/state-view.ts';

export interface ChainEvent {
  readonly pallet: string;
  readonly name: string;
  readonly value: ScaleValue;
}
/** The rules that a flag may change. */
export interface Rules {
  /** Loopback and private axon addresses are accepted. */
  readonly localAxons: boolean;
}
/** What a pool check may look at: nothing is changed. */
export interface Inspection {
  readonly state: StateView;
  /** The block in which the call would run. */
  readonly block: number;
  readonly rules: Rules;
}
export interface Context extends Inspection {
  readonly state: Overlay;
  readonly emit: (event: ChainEvent) => void;
}

export interface DispatchFailure {
  readonly pallet: string;
  readonly error: string;
}
/** Undefined: done. */
export type Dispatched = DispatchFailure | undefined;

export const refuse = (error: string, pallet = 'SubtensorModule'): DispatchFailure => ({ pallet, error });

/** The runtime's `DispatchError` of a failure. */
export function dispatchError({ pallet, error }: DispatchFailure): ScaleValue {
  const { index, errors } = palletOf(pallet);
  const variant = errors.find((candidate) => candidate.name === error);
  invariant(variant, `${pallet} has no error ${error}`);
  return { type: 'Module', value: { index, error: Uint8Array.of(variant.index, 0, 0, 0) } };
}
