/**
 * Plain weights: the rules of subtensor's `subnets/weights.rs` in their order. With commit-reveal on, weights arrive
 * through `commits.ts`, which ends here too.
 */
import { type Context, type Dispatched, refuse } from './context.ts';
import { type AccountId, Columns, Neurons, Subnet } from './items.ts';
import {
  hasStakeForWeights,
  isOwnerHotkey,
  passesWeightsRateLimit,
  setLastUpdate,
  storageIndex,
} from './neuron-columns.ts';

export interface SetWeights {
  readonly netuid: number;
  readonly mechanism: number;
  readonly uids: readonly number[];
  readonly values: readonly number[];
  readonly versionKey: bigint;
}

const MAX_WEIGHT = 65_535;

/** `set_weights` and `set_mechanism_weights`. */
export function setPlainWeights(context: Context, hotkey: AccountId, call: SetWeights): Dispatched {
  if (Subnet.commitReveal.get(context.state, call.netuid)) return refuse('CommitRevealEnabled');
  return putWeights(context, hotkey, call);
}

export function mechanismExists(context: Context, netuid: number, mechanism: number): boolean {
  return Subnet.added.get(context.state, netuid) && mechanism < Subnet.mechanisms.get(context.state, netuid);
}

/** Every check, then the weights scaled so that the largest is 65,535. */
export function putWeights(context: Context, hotkey: AccountId, call: SetWeights): Dispatched {
  const { state, block } = context;
  const { netuid, mechanism, uids, values, versionKey } = call;
  const index = storageIndex(netuid, mechanism);
  if (netuid === 0) return refuse('CanNotSetRootNetworkWeights');
  if (uids.length !== values.length) return refuse('WeightVecNotEqualSize');
  if (!mechanismExists(context, netuid, mechanism)) return refuse('MechanismDoesNotExist');
  const size = Subnet.size.get(state, netuid);
  if (uids.length > size) return refuse('UidsLengthExceedUidsInSubNet');
  const uid = Neurons.uid.get(state, netuid, hotkey);
  if (uid === undefined) return refuse('HotKeyNotRegisteredInSubNet');
  if (!hasStakeForWeights(context, netuid, hotkey)) return refuse('NotEnoughStakeToSetWeights');
  const required = Subnet.versionKey.get(state, netuid);
  if (required !== 0n && versionKey < required) return refuse('IncorrectWeightVersionKey');
  const commitReveal = Subnet.commitReveal.get(state, netuid);
  if (!commitReveal && !passesWeightsRateLimit(context, netuid, index, uid)) return refuse('SettingWeightsTooFast');
  const self = values.length === 1 && uids[0] === uid;
  const permitted = self || isOwnerHotkey(state, netuid, hotkey) || Columns.permit.get(state, netuid)[uid] === true;
  if (!permitted) return refuse('NeuronNoValidatorPermit');
  if (new Set(uids).size !== uids.length) return refuse('DuplicateUids');
  if (uids.some((other) => other >= size)) return refuse('UidVecContainInvalidOne');
  if (!self && uids.length < Math.min(size, Subnet.minWeights.get(state, netuid)))
    return refuse('WeightVecLengthIsLow');
  const scaled = upscale(values);
  if (!self && exceeds(scaled, Subnet.maxWeight.get(state, netuid))) return refuse('MaxWeightExceeded');
  Neurons.weights.put(
    state,
    uids.map((other, i) => [other, scaled[i] ?? 0] as const),
    index,
    uid,
  );
  if (!commitReveal) setLastUpdate({ ...context, block }, index, uid);
  context.emit({ pallet: 'SubtensorModule', name: 'WeightsSet', value: [index, uid] });
  return undefined;
}

function upscale(values: readonly number[]): number[] {
  const largest = Math.max(0, ...values);
  if (largest === 0) return [...values];
  return values.map((value) => Math.round((value * MAX_WEIGHT) / largest));
}

/** True when a weight, as a share of the sum, is above the limit. */
function exceeds(weights: readonly number[], limit: number): boolean {
  if (limit === MAX_WEIGHT) return false;
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return sum > 0 && Math.max(...weights) / sum > limit / MAX_WEIGHT;
}
