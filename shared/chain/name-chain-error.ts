/**
 * The one table from the chain's errors to ours: errors of the runtime's pallets by name, the pool's `Custom(n)` by
 * number, and the node's JSON-RPC refusals. No bare number ever reaches a person.
 * Sources: pallet SubtensorModule's errors of spec 424; subtensor `common/src/transaction_error.rs`;
 * polkadot-sdk `client/rpc-api/src/author/error.rs`.
 */
import { type ChainFailure, type PlainCode, plainFailure, type WaitCode, waitFailure } from './chain-failure.ts';

type Row = readonly [code: PlainCode | WaitCode, message: string];

const WAITS: ReadonlySet<string> = new Set<WaitCode>([
  'weights-too-fast',
  'serving-too-fast',
  'reveal-too-early',
  'registrations-too-fast',
]);

const NOT_REGISTERED = 'this hotkey is not registered in the subnet: filetao wallet register';
const LOW_STAKE = 'this hotkey has less stake than the subnet asks of those who set weights';
const BALANCE = 'the coldkey does not hold enough TAO for this';
const TOO_FAST = 'weights were set or committed too short a time ago';

/** Errors of the runtime by name. */
const RUNTIME_ERRORS: Readonly<Record<string, Row>> = {
  HotKeyNotRegisteredInSubNet: ['not-registered', NOT_REGISTERED],
  HotKeyNotRegisteredInNetwork: ['not-registered', 'this hotkey is registered in no subnet: filetao wallet register'],
  HotKeyAccountNotExists: ['not-registered', 'the chain does not know this hotkey: filetao wallet register'],
  NonAssociatedColdKey: ['not-owner', 'this hotkey belongs to another coldkey'],
  HotKeyAlreadyRegisteredInSubNet: ['already-registered', 'this hotkey is registered in the subnet already'],
  NotEnoughStake: ['stake-too-low', LOW_STAKE],
  NotEnoughStakeToSetWeights: ['stake-too-low', LOW_STAKE],
  NeuronNoValidatorPermit: [
    'no-validator-permit',
    'this hotkey has no validator permit: only the neurons with most stake may set weights of others',
  ],
  WeightVecNotEqualSize: ['bad-weights', 'as many uids as weights are needed'],
  DuplicateUids: ['bad-weights', 'a uid appears twice in the weights'],
  UidVecContainInvalidOne: ['bad-weights', 'the weights name a uid that the subnet does not have'],
  WeightVecLengthIsLow: ['bad-weights', 'the subnet demands more weights than were given'],
  MaxWeightExceeded: ['bad-weights', 'one weight is a larger share than the subnet allows'],
  UidsLengthExceedUidsInSubNet: ['bad-weights', 'there are more weights than uids in the subnet'],
  CanNotSetRootNetworkWeights: ['bad-weights', 'the root network takes no weights'],
  InputLengthsUnequal: ['bad-weights', 'lists of unequal lengths'],
  SettingWeightsTooFast: ['weights-too-fast', TOO_FAST],
  CommittingWeightsTooFast: ['weights-too-fast', TOO_FAST],
  NetworkTxRateLimitExceeded: ['weights-too-fast', TOO_FAST],
  IncorrectWeightVersionKey: [
    'version-key-too-old',
    "the subnet asks for a newer version key: install this subnet's current version",
  ],
  CommitRevealEnabled: ['commit-reveal-on', 'this subnet takes committed weights only'],
  CommitRevealDisabled: ['commit-reveal-off', 'this subnet takes plain weights only'],
  TooManyUnrevealedCommits: ['too-many-commits', 'ten commits wait to be revealed: reveal or let them expire first'],
  NoWeightsCommitFound: ['commit-unknown', 'the chain knows no such commit'],
  InvalidRevealCommitHashNotMatch: ['commit-unknown', 'the revealed weights belong to no commit on the chain'],
  ExpiredWeightCommit: ['reveal-expired', 'the epoch in which this commit could be revealed has passed'],
  RevealTooEarly: ['reveal-too-early', 'the epoch of this reveal has not come'],
  ServingRateLimitExceeded: ['serving-too-fast', 'the axon was announced too short a time ago'],
  InvalidIpType: ['axon-address-refused', 'an axon has an IPv4 or IPv6 address'],
  InvalidIpAddress: [
    'axon-address-refused',
    'the chain refuses this axon address: it must be a public one (--axon.external_ip)',
  ],
  InvalidPort: ['axon-port-refused', 'the chain refuses this axon port (--axon.external_port)'],
  SubNetRegistrationDisabled: ['registration-closed', 'the subnet takes no registrations'],
  SubNetworkDoesNotExist: ['subnet-unknown', 'there is no such subnet (--netuid)'],
  SubnetNotExists: ['subnet-unknown', 'there is no such subnet (--netuid)'],
  MechanismDoesNotExist: ['subnet-unknown', 'there is no such subnet (--netuid)'],
  RegistrationNotPermittedOnRootSubnet: ['registration-closed', 'the root network takes no such registration'],
  TooManyRegistrationsThisBlock: ['registrations-too-fast', 'too many registrations in this block'],
  TooManyRegistrationsThisInterval: ['registrations-too-fast', 'too many registrations in this interval'],
  NoNeuronIdAvailable: ['registrations-too-fast', 'the subnet is full and all its neurons are in immunity'],
  RegistrationPriceLimitExceeded: ['cost-changed', 'registration became dearer than agreed; nothing was paid'],
  NotEnoughBalanceToStake: ['balance-too-low', BALANCE],
  BalanceWithdrawalError: ['balance-too-low', BALANCE],
  ZeroBalanceAfterWithdrawn: ['balance-too-low', BALANCE],
  InsufficientBalance: ['balance-too-low', BALANCE],
  FundsUnavailable: ['balance-too-low', BALANCE],
  BelowMinimum: ['balance-too-low', BALANCE],
  NotExpendable: ['balance-too-low', BALANCE],
};

/** `InvalidTransaction::Custom(n)` of the pool: the runtime's error that each stands for. */
const POOL_ERRORS: Readonly<Record<number, string | Row>> = {
  0: ['refused', 'the coldkey is about to be swapped'],
  1: 'NotEnoughStakeToSetWeights',
  2: 'NotEnoughBalanceToStake',
  3: 'SubnetNotExists',
  4: 'HotKeyAccountNotExists',
  5: 'NotEnoughStake',
  6: 'SettingWeightsTooFast',
  7: ['refused', 'the pool of the subnet has not enough liquidity'],
  8: ['refused', 'the price would slip too far'],
  9: ['refused', 'the subnet allows no transfers'],
  10: 'HotKeyNotRegisteredInNetwork',
  11: 'InvalidIpAddress',
  12: 'ServingRateLimitExceeded',
  13: 'InvalidPort',
  14: ['refused', 'the amount is zero'],
  15: ['refused', 'the reveal round is wrong'],
  16: 'NoWeightsCommitFound',
  17: 'RevealTooEarly',
  18: 'InputLengthsUnequal',
  19: 'HotKeyNotRegisteredInSubNet',
  20: ['refused', 'an EVM key was associated too short a time ago'],
  21: ['refused', 'a swap of the coldkey is disputed'],
  22: ['refused', 'the proxied account is wrong'],
  23: ['refused', 'the shielded transaction cannot be read'],
  24: ['refused', 'the shielded transaction was made for another key'],
  25: 'NonAssociatedColdKey',
  26: ['refused', 'the delegate take is too low'],
  27: ['refused', 'the delegate take is too high'],
  255: ['refused', 'the chain calls this a bad request'],
};

/** What the pool says in words (polkadot-sdk `sp_runtime::transaction_validity`), by a part of it. */
const POOL_WORDS: readonly (readonly [part: string, row: Row])[] = [
  ['Inability to pay some fees', ['balance-too-low', 'the signing account does not hold enough TAO for the fee']],
  ['bad signature', ['bad-signature', 'the node found the signature wrong']],
  ['outdated', ['stale', 'another transaction of this account took its place; sign anew']],
  ['ancient birth block', ['stale', 'the transaction was signed too long ago; sign anew']],
  ['will be valid in the future', ['stale', 'an earlier transaction of this account is missing; sign anew']],
  ['exhaust the block limits', ['not-included', 'the block is full']],
];

/** JSON-RPC codes of `author_submit…`. */
const NODE_CODES: Readonly<Record<number, Row>> = {
  1012: ['not-included', 'the node has banned this transaction for a while'],
  1013: ['not-included', 'the node has this very transaction already'],
  1014: ['stale', 'another transaction of this account waits with the same nonce; sign anew'],
  1016: ['not-included', "the node's pool is full"],
};

function failureOf([code, message]: Row, retryAtBlock?: number): ChainFailure {
  return WAITS.has(code)
    ? waitFailure(code as WaitCode, message, retryAtBlock)
    : plainFailure(code as PlainCode, message);
}

/** An error that the runtime returned for an included transaction. @param docs the runtime's own sentence, if any */
export function nameRuntimeError(pallet: string, name: string, docs = ''): ChainFailure {
  const row = Object.hasOwn(RUNTIME_ERRORS, name) ? RUNTIME_ERRORS[name] : undefined;
  if (row) return failureOf(row);
  const words = docs.trim().replace(/\.$/, '');
  return plainFailure('refused', `the chain refused: ${pallet}.${name}${words ? ` (${words})` : ''}`);
}

/** A JSON-RPC error object of a node, as an answer to `method`. */
export function nameNodeError(method: string, error: { code: number; message: string; data?: unknown }): ChainFailure {
  const words = typeof error.data === 'string' ? error.data : error.message;
  const custom = /Custom error: ?(\d{1,3})|Custom\((\d{1,3})\)/.exec(words);
  if (custom) {
    const number = Number(custom[1] ?? custom[2]);
    const entry = POOL_ERRORS[number];
    if (typeof entry === 'string') return nameRuntimeError('SubtensorModule', entry);
    if (entry) return failureOf(entry);
    return plainFailure('refused', `the chain's pool refused with a reason new to this program (number ${number})`);
  }
  const known = POOL_WORDS.find(([part]) => words.includes(part));
  if (known) return failureOf(known[1]);
  const row = NODE_CODES[error.code];
  if (row) return failureOf(row);
  if (/State already discarded|UnknownBlock|Unknown block|not found/i.test(words)) {
    return plainFailure('block-unknown', 'the node does not have the state of that block (an archive node has)');
  }
  return plainFailure('node-refused', `the node refused ${method}: ${error.message} (${error.code})`);
}
