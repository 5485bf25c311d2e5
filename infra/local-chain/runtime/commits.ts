/**
 * Commit-reveal: a hash now, the weights it hides exactly `RevealPeriodEpochs` epochs later. At most ten unrevealed; what
 * was not revealed in its epoch expires. Follows subtensor's `subnets/weights.rs`. Time-locked commits are checked and
 * kept until they expire, but never opened: the local chain has no randomness beacon.
 */
import { blake2b } from '@noble/hashes/blake2.js';
import { equalBytes } from '#shared/primitives/bytes.ts';
import { RUNTIME } from '../metadata/runtime-declaration.ts';
import { encode } from '../scale/encode.ts';
import { type Context, type Dispatched, type Inspection, refuse } from './context.ts';
import { currentEpoch } from './epoch-schedule.ts';
import { type AccountId, Commits, Neurons, Subnet, type WeightCommit } from './items.ts';
import { passesWeightsRateLimit, setLastUpdate, storageIndex } from './neuron-columns.ts';
import { mechanismExists, putWeights, type SetWeights } from './weights.ts';

const MAX_UNREVEALED = 10;
/** `MAX_CRV3_COMMIT_SIZE_BYTES`. */
const MAX_TIMELOCKED_BYTES = 5000;

export interface RevealWeights extends SetWeights {
  readonly salt: readonly number[];
}
export interface TimelockedWeights {
  readonly netuid: number;
  readonly commit: Uint8Array;
  readonly revealRound: bigint;
  readonly version: number;
}

const COMMITTED = RUNTIME.types.get('(AccountId32, u16, Vec<u16>, Vec<u16>, Vec<u16>, u64)');

export function commitHash(hotkey: AccountId, call: RevealWeights): Uint8Array {
  const index = storageIndex(call.netuid, call.mechanism);
  const value = encode(COMMITTED, [hotkey, index, call.uids, call.values, call.salt, call.versionKey]);
  return blake2b(value, { dkLen: 32 });
}

/** What both kinds of commit ask for; the committer's uid, or why not. */
function admit(context: Context, netuid: number, mechanism: number, hotkey: AccountId): Dispatched | number {
  const { state } = context;
  if (!mechanismExists(context, netuid, mechanism)) return refuse('MechanismDoesNotExist');
  if (!Subnet.commitReveal.get(state, netuid)) return refuse('CommitRevealDisabled');
  const uid = Neurons.uid.get(state, netuid, hotkey);
  if (uid === undefined) return refuse('HotKeyNotRegisteredInSubNet');
  const passes = passesWeightsRateLimit(context, netuid, storageIndex(netuid, mechanism), uid);
  return passes ? uid : refuse('CommittingWeightsTooFast');
}

export function commitWeights(
  context: Context,
  hotkey: AccountId,
  { netuid, mechanism, hash }: { readonly netuid: number; readonly mechanism: number; readonly hash: Uint8Array },
): Dispatched {
  const uid = admit(context, netuid, mechanism, hotkey);
  if (typeof uid !== 'number') return uid;
  const index = storageIndex(netuid, mechanism);
  const { live } = sortCommits(context, netuid, index, hotkey);
  if (live.length >= MAX_UNREVEALED) return refuse('TooManyUnrevealedCommits');
  const commit = [hash, currentEpoch(context, netuid), BigInt(context.block), 0n] as const;
  Commits.salted.put(context.state, [...live, commit], index, hotkey);
  context.emit({ pallet: 'SubtensorModule', name: 'WeightsCommitted', value: [hotkey, index, hash] });
  setLastUpdate(context, index, uid);
  return undefined;
}

export function commitTimelocked(context: Context, hotkey: AccountId, call: TimelockedWeights): Dispatched {
  const { state, block } = context;
  const { netuid, commit, revealRound, version } = call;
  const uid = admit(context, netuid, 0, hotkey);
  if (version !== Subnet.commitRevealVersion.get(state)) return refuse('IncorrectCommitRevealVersion');
  if (typeof uid !== 'number') return uid;
  const epoch = currentEpoch(context, netuid);
  const commits = Commits.timelocked.get(state, netuid, epoch);
  if (commits.filter(([who]) => equalBytes(who, hotkey)).length >= MAX_UNREVEALED) {
    return refuse('TooManyUnrevealedCommits');
  }
  Commits.timelocked.put(state, [...commits, [hotkey, BigInt(block), commit, revealRound]], netuid, epoch);
  const hash = blake2b(commit, { dkLen: 32 });
  context.emit({
    pallet: 'SubtensorModule',
    name: 'TimelockedWeightsCommitted',
    value: [hotkey, netuid, hash, revealRound],
  });
  setLastUpdate(context, netuid, uid);
  return undefined;
}

export const isTimelockedSizeValid = (commit: Uint8Array): boolean => commit.length <= MAX_TIMELOCKED_BYTES;

export function revealWeights(context: Context, hotkey: AccountId, call: RevealWeights): Dispatched {
  const { state } = context;
  const index = storageIndex(call.netuid, call.mechanism);
  if (!Subnet.commitReveal.get(state, call.netuid)) return refuse('CommitRevealDisabled');
  if (!Commits.salted.has(state, index, hotkey)) return refuse('NoWeightsCommitFound');
  const { live, expired } = sortCommits(context, call.netuid, index, hotkey);
  const hash = commitHash(hotkey, call);
  const position = live.findIndex(([known]) => equalBytes(known, hash));
  if (position < 0) {
    if (expired.some(([known]) => equalBytes(known, hash))) return refuse('ExpiredWeightCommit');
    return refuse(live.length === 0 ? 'NoWeightsCommitFound' : 'InvalidRevealCommitHashNotMatch');
  }
  const [, epoch] = live[position] as WeightCommit;
  if (!isRevealEpoch(context, call.netuid, epoch)) return refuse('RevealTooEarly');
  const failure = putWeights(context, hotkey, call);
  if (failure) return failure;
  // Older commits cannot be revealed any more once a newer one was.
  const rest = live.slice(position + 1);
  if (rest.length === 0) Commits.salted.remove(state, index, hotkey);
  else Commits.salted.put(state, rest, index, hotkey);
  context.emit({ pallet: 'SubtensorModule', name: 'WeightsRevealed', value: [hotkey, index, hash] });
  return undefined;
}

/** The pool's look at a reveal: is there such a commit, and is this its epoch? */
export function checkReveal(inspection: Inspection, hotkey: AccountId, call: RevealWeights): Dispatched {
  const index = storageIndex(call.netuid, call.mechanism);
  const hash = commitHash(hotkey, call);
  const commits = Commits.salted.get(inspection.state, index, hotkey) ?? [];
  const commit = commits.find(([known]) => equalBytes(known, hash));
  if (!commit) return refuse('NoWeightsCommitFound');
  return isRevealEpoch(inspection, call.netuid, commit[1]) ? undefined : refuse('RevealTooEarly');
}

const isRevealEpoch = (inspection: Inspection, netuid: number, epoch: bigint): boolean =>
  currentEpoch(inspection, netuid) === epoch + Subnet.revealPeriod.get(inspection.state, netuid);

/** Commits are kept in order, so the expired ones come first. */
function sortCommits(inspection: Inspection, netuid: number, index: number, hotkey: AccountId) {
  const commits = Commits.salted.get(inspection.state, index, hotkey) ?? [];
  const now = currentEpoch(inspection, netuid);
  const period = Subnet.revealPeriod.get(inspection.state, netuid);
  const first = commits.findIndex(([, epoch]) => now <= epoch + period);
  const cut = first < 0 ? commits.length : first;
  return { expired: commits.slice(0, cut), live: commits.slice(cut) };
}
