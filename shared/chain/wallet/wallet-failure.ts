/** What can go wrong with key files, each in one line that says what to do. All of it is for the operator to mend. */
import { type Failure, fail } from '#shared/primitives/failure.ts';

export type WalletFailureCode =
  | 'wallet-missing'
  | 'key-missing'
  | 'readable-by-others'
  | 'unreadable'
  | 'bad-key-file'
  | 'unsupported-key'
  | 'password-needed'
  | 'wrong-password'
  | 'public-only'
  | 'bad-phrase'
  | 'bad-name'
  | 'exists';

export type WalletFailure = Failure & { readonly code: WalletFailureCode };

export const walletFailure = (code: WalletFailureCode, message: string) =>
  fail<WalletFailure>({ code, fault: 'caller', message });
