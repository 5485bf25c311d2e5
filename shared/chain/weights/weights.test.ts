import { describe, expect, it } from 'vitest';
import { type Hotkey, hotkeyOf } from '#shared/primitives/ids.ts';
import { signerFromSeed } from '#shared/wire/sr25519-scure.ts';
import { bytesOfHex } from '../header.ts';
import type { PendingCommit, WeightsRequest } from '../ports.ts';
import { commitHash } from './commit-hash.ts';
import { epochNow, firstBlockOf } from './epoch.ts';
import { judgePending } from './reveal-weights.ts';
import { weightsRefusal } from './set-weights.ts';
import type { WeightState } from './weight-ports.ts';

const ALICE = hotkeyOf(bytesOfHex('0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d') as Uint8Array);

const STATE: WeightState = {
  rules: {
    netuid: 21,
    tempo: 360,
    neuronCount: 10,
    maxNeurons: 256,
    immunityPeriod: 4096,
    commitReveal: true,
    revealPeriodEpochs: 2,
    weightsRateLimit: 100,
    servingRateLimit: 50,
    weightsVersionKey: 5n,
    minWeights: 2,
    maxWeightShare: 1,
  },
  epoch: { block: 1_000, index: 7n, tempo: 360, lastEpochBlock: 900, pendingEpochAt: 0 },
  uid: 3,
  validatorPermit: true,
  lastUpdate: 900,
  commits: [],
};
const REQUEST: WeightsRequest = {
  netuid: 21,
  signer: signerFromSeed(new Uint8Array(32).fill(1)),
  weights: [
    { uid: 0, value: 1 },
    { uid: 9, value: 65_535 },
  ],
  versionKey: 5n,
};

describe('weights', () => {
  it.each([
    { id: 'as they should be', state: STATE, request: REQUEST },
    { id: 'a newer version key', state: STATE, request: { ...REQUEST, versionKey: 6n } },
    { id: 'the first ever', state: { ...STATE, lastUpdate: 0 }, request: REQUEST },
    {
      id: 'of oneself alone, without a permit',
      state: { ...STATE, validatorPermit: false },
      request: { ...REQUEST, weights: [{ uid: 3, value: 1 }] },
    },
  ])('are sent: $id', ({ state, request }) => {
    expect(weightsRefusal(state, request)).toBeUndefined();
  });

  it.each([
    { id: 'not registered', state: { ...STATE, uid: undefined }, request: REQUEST, code: 'not-registered' },
    { id: 'no permit', state: { ...STATE, validatorPermit: false }, request: REQUEST, code: 'no-validator-permit' },
    { id: 'old version key', state: STATE, request: { ...REQUEST, versionKey: 4n }, code: 'version-key-too-old' },
    { id: 'none', state: STATE, request: { ...REQUEST, weights: [] }, code: 'bad-weights' },
    { id: 'too few', state: STATE, request: { ...REQUEST, weights: [{ uid: 0, value: 1 }] }, code: 'bad-weights' },
    {
      id: 'a uid twice',
      state: STATE,
      request: {
        ...REQUEST,
        weights: [
          { uid: 0, value: 1 },
          { uid: 0, value: 2 },
        ],
      },
      code: 'bad-weights',
    },
    {
      id: 'a uid beyond the subnet',
      state: STATE,
      request: {
        ...REQUEST,
        weights: [
          { uid: 0, value: 1 },
          { uid: 10, value: 1 },
        ],
      },
      code: 'bad-weights',
    },
    {
      id: 'a value beyond 16 bits',
      state: STATE,
      request: {
        ...REQUEST,
        weights: [
          { uid: 0, value: 65_536 },
          { uid: 1, value: 1 },
        ],
      },
      code: 'bad-weights',
    },
    {
      id: 'not a number',
      state: STATE,
      request: {
        ...REQUEST,
        weights: [
          { uid: 0, value: Number.NaN },
          { uid: 1, value: 1 },
        ],
      },
      code: 'bad-weights',
    },
  ])('are refused before they cost a fee: $id', ({ state, request, code }) => {
    expect(weightsRefusal(state, request)?.code).toBe(code);
  });

  it('wait for the rate limit, to the block', () => {
    expect(weightsRefusal({ ...STATE, lastUpdate: 901 }, REQUEST)).toMatchObject({
      code: 'weights-too-fast',
      retryAtBlock: 1_001,
    });
  });
});

describe('commits', () => {
  it('have the hash that the chain computes', () => {
    const weights = [
      { uid: 0, value: 1 },
      { uid: 5, value: 65_535 },
      { uid: 300, value: 7 },
    ];
    const salt = Array.from({ length: 16 }, (_, i) => i);
    // Computed apart, with Python's hashlib.
    expect(commitHash({ hotkey: ALICE, netuid: 21, weights, salt, versionKey: 2n ** 40n + 3n })).toBe(
      'e03e16a8552fec90e6b9057b288f97c3f0351a99d7c7f97318e4e7dd6541b6d8',
    );
  });

  it('belong to the epoch of their block, one that is due in it counted', () => {
    const { epoch } = STATE;
    expect(epochNow(epoch)).toBe(7n);
    expect(epochNow({ ...epoch, block: 1_260 })).toBe(8n);
    expect(epochNow({ ...epoch, pendingEpochAt: 1_000 })).toBe(8n);
    expect(epochNow({ ...epoch, tempo: 0, block: 9_999 })).toBe(7n);
    expect(firstBlockOf(9n, epoch)).toBe(900 + 720);
    expect(firstBlockOf(7n, epoch)).toBe(1_000);
  });

  const pending: PendingCommit = {
    netuid: 21,
    hotkey: ALICE as Hotkey,
    commit: 'aa',
    weights: [],
    salt: [],
    versionKey: 0n,
    sentAtBlock: 990,
  };
  it.each([
    { id: 'an epoch too early', commits: [{ commit: 'aa', epoch: 6n }], block: 1_000, kind: 'waiting' },
    { id: 'in its epoch', commits: [{ commit: 'aa', epoch: 5n }], block: 1_000, kind: 'due' },
    { id: 'an epoch too late', commits: [{ commit: 'aa', epoch: 4n }], block: 1_000, kind: 'lost' },
    { id: 'not on the chain yet', commits: [], block: 1_000, kind: 'waiting' },
    { id: 'never on the chain', commits: [], block: 1_055, kind: 'lost' },
    { id: 'with another on the chain', commits: [{ commit: 'bb', epoch: 5n }], block: 1_055, kind: 'lost' },
  ])('are judged: $id', ({ commits, block, kind }) => {
    const state = { ...STATE, commits, epoch: { ...STATE.epoch, block } };
    expect(judgePending(pending, state).kind).toBe(kind);
  });
});
