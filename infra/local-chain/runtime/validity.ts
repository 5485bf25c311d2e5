/**
 * Why a pool refuses an extrinsic: polkadot-sdk's `TransactionValidityError` with the codes and words that its JSON-RPC
 * server gives them, and subtensor's own `Custom(n)`.
 */
import type { DispatchFailure } from './context.ts';

export type Invalidity =
  | { readonly code: 'invalid'; readonly reason: keyof typeof INVALID }
  | { readonly code: 'unknown'; readonly reason: keyof typeof UNKNOWN }
  | { readonly code: 'custom'; readonly number: number }
  | { readonly code: 'bad-format' }
  | { readonly code: 'pool'; readonly reason: keyof typeof POOL };

const INVALID = {
  call: 'Transaction call is not expected',
  payment: 'Inability to pay some fees (e.g. account balance too low)',
  future: 'Transaction will be valid in the future',
  stale: 'Transaction is outdated',
  badProof: 'Transaction has a bad signature',
  ancientBirthBlock: 'Transaction has an ancient birth block',
  exhaustsResources: 'Transaction would exhaust the block limits',
} as const;
const UNKNOWN = {
  cannotLookup: 'Could not lookup information required to validate the transaction',
  noUnsignedValidator: 'Could not find an unsigned validator for the unsigned transaction',
} as const;
const POOL = {
  alreadyImported: [1013, 'Transaction is already imported'],
  tooLowPriority: [1014, 'Priority is too low'],
  full: [1016, 'Immediately dropped'],
} as const;

/** Subtensor's `CustomTransactionError`; every other error of a check is a bad request. */
const CUSTOM: Readonly<Record<string, number>> = {
  NotEnoughStakeToSetWeights: 1,
  SubnetNotExists: 3,
  CommittingWeightsTooFast: 6,
  SettingWeightsTooFast: 6,
  HotKeyNotRegisteredInNetwork: 10,
  InvalidIpAddress: 11,
  ServingRateLimitExceeded: 12,
  InvalidPort: 13,
  NoWeightsCommitFound: 17,
  RevealTooEarly: 18,
  HotKeyNotRegisteredInSubNet: 20,
};
const BAD_REQUEST = 255;

export const customOf = ({ error }: DispatchFailure): Invalidity => ({
  code: 'custom',
  number: CUSTOM[error] ?? BAD_REQUEST,
});

export interface RpcFailure {
  readonly code: number;
  readonly message: string;
  readonly data?: string;
}

export function rpcFailureOf(invalidity: Invalidity): RpcFailure {
  switch (invalidity.code) {
    case 'invalid':
      return { code: 1010, message: 'Invalid Transaction', data: INVALID[invalidity.reason] };
    case 'custom':
      return { code: 1010, message: 'Invalid Transaction', data: `Custom error: ${invalidity.number}` };
    case 'unknown':
      return { code: 1011, message: 'Unknown Transaction Validity', data: UNKNOWN[invalidity.reason] };
    case 'bad-format':
      return { code: 1001, message: 'Extrinsic has invalid format: it is no signed extrinsic of this chain' };
    case 'pool': {
      const [code, message] = POOL[invalidity.reason];
      return { code, message };
    }
  }
}
