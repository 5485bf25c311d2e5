/**
 * Sets weights, or commits them where the subnet demands it. What the chain would refuse is refused here first, with
 * the block to try again at: a refused transaction costs its fee all the same.
 */
import { ByteReader } from '#shared/primitives/bytes.ts';
import { type ChainFailure, plainFailure, waitFailure } from '../chain-failure.ts';
import type { PendingCommit, WeightsOutcome, WeightsRequest } from '../ports.ts';
import { ChainRefusal, refuse } from '../rpc-error.ts';
import { commitHash } from './commit-hash.ts';
import { epochNow, firstBlockOf } from './epoch.ts';
import type { WeightPorts, WeightState } from './weight-ports.ts';

const U16_MAX = 65_535;
/** 256 bits: nobody guesses weights by trying salts. */
const SALT_LENGTH = 16;
/** The chain's limit (subtensor `internal_commit_weights`). */
const MAX_UNREVEALED = 10;

/** Why these weights cannot be set now; undefined when they can. */
export function weightsRefusal(
  state: WeightState,
  { netuid, weights, versionKey }: WeightsRequest,
): ChainFailure | undefined {
  const { rules, uid } = state;
  if (uid === undefined) {
    return plainFailure('not-registered', `this hotkey is not registered in subnet ${netuid}: filetao wallet register`);
  }
  const bad = badRows(weights, rules.neuronCount);
  if (bad) return plainFailure('bad-weights', bad);
  const onlySelf = weights.length === 1 && weights[0]?.uid === uid;
  if (!state.validatorPermit && !onlySelf) {
    const message = `uid ${uid} has no validator permit in subnet ${netuid}: only the neurons with most stake may set weights`;
    return plainFailure('no-validator-permit', message);
  }
  if (weights.length < Math.min(rules.minWeights, rules.neuronCount) && !onlySelf) {
    return plainFailure(
      'bad-weights',
      `subnet ${netuid} demands at least ${rules.minWeights} weights, not ${weights.length}`,
    );
  }
  if (rules.weightsVersionKey > versionKey) {
    const message = `subnet ${netuid} asks for version key ${rules.weightsVersionKey}, this program has ${versionKey}: install the current version`;
    return plainFailure('version-key-too-old', message);
  }
  const freeAt = state.lastUpdate + rules.weightsRateLimit;
  if (state.lastUpdate > 0 && state.epoch.block < freeAt) {
    return waitFailure('weights-too-fast', `weights were set or committed at block ${state.lastUpdate}`, freeAt);
  }
  return undefined;
}

function badRows(weights: WeightsRequest['weights'], neuronCount: number): string | undefined {
  if (weights.length === 0) return 'there are no weights to set';
  if (new Set(weights.map(({ uid }) => uid)).size !== weights.length) return 'a uid appears twice in the weights';
  const isIndex = (value: number, end: number) => Number.isInteger(value) && value >= 0 && value < end;
  const wrong = weights.find(({ uid, value }) => !isIndex(uid, neuronCount) || !isIndex(value, U16_MAX + 1));
  return wrong && `weight ${wrong.value} of uid ${wrong.uid} is not possible in a subnet of ${neuronCount} neurons`;
}

export async function setWeights(ports: WeightPorts, request: WeightsRequest): Promise<WeightsOutcome> {
  const { netuid, signer, weights, versionKey } = request;
  const state = await ports.state(netuid, signer.hotkey);
  const refusal = weightsRefusal(state, request);
  if (refusal) refuse(refusal);
  if (!state.rules.commitReveal) {
    return { kind: 'set', block: await ports.setWeights(netuid, weights, versionKey, signer) };
  }
  const { block, index } = state.epoch;
  if (
    state.commits.filter(({ epoch }) => epoch + BigInt(state.rules.revealPeriodEpochs) >= index).length >=
    MAX_UNREVEALED
  ) {
    refuse(plainFailure('too-many-commits', `${MAX_UNREVEALED} commits of this hotkey wait to be revealed`));
  }
  const salt = newSalt(ports);
  const commit = commitHash({ hotkey: signer.hotkey, netuid, weights, salt, versionKey });
  const pending: PendingCommit = {
    netuid,
    hotkey: signer.hotkey,
    commit,
    weights,
    salt,
    versionKey,
    sentAtBlock: block,
  };
  // First: a commit on the chain whose salt is lost can never be revealed.
  await ports.commits.put(pending);
  return commitAndForget(ports, request, pending);
}

async function commitAndForget(
  ports: WeightPorts,
  { netuid, signer }: WeightsRequest,
  { commit }: PendingCommit,
): Promise<WeightsOutcome> {
  try {
    const block = await ports.commit(netuid, commit, signer);
    const { rules, epoch, commits } = await ports.state(netuid, signer.hotkey);
    const committed = commits.find((known) => known.commit === commit)?.epoch ?? epochNow(epoch);
    const revealEpoch = committed + BigInt(rules.revealPeriodEpochs);
    return { kind: 'committed', block, commit, revealEpoch, revealFromBlock: firstBlockOf(revealEpoch, epoch) };
  } catch (error) {
    // Only a clear no: one that may still land must be kept, and is dropped later when the chain does not know it.
    const clear = error instanceof ChainRefusal && error.failure.code !== 'not-included';
    if (clear) await ports.commits.remove([commit]);
    throw error;
  }
}

function newSalt({ random }: WeightPorts): readonly number[] {
  const bytes = new ByteReader(random(2 * SALT_LENGTH));
  return Array.from({ length: SALT_LENGTH }, () => bytes.u16());
}
