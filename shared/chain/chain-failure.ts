/**
 * What can go wrong with the chain, by code. `name-chain-error.ts` turns a node's and the runtime's errors into these;
 * the flows of `weights/` and the adapter make the rest. A failure that time cures carries the block to try again at.
 */
import type { Failure } from '#shared/primitives/failure.ts';

/** Nothing to know beyond the sentence. */
export type PlainCode =
  | 'unreachable' // no answer from the node within the time allowed
  | 'node-refused' // the node answered with an error that is none of the chain's rules
  | 'other-chain' // the node now serves another genesis
  | 'block-unknown' // the node has not, or no longer, the state of that block
  | 'subnet-unknown'
  | 'not-registered'
  | 'already-registered'
  | 'registration-closed'
  | 'cost-changed'
  | 'not-owner' // the hotkey belongs to another coldkey
  | 'balance-too-low'
  | 'stake-too-low'
  | 'no-validator-permit'
  | 'bad-weights'
  | 'version-key-too-old'
  | 'commit-reveal-on'
  | 'commit-reveal-off'
  | 'too-many-commits'
  | 'commit-unknown'
  | 'reveal-expired'
  | 'axon-address-refused'
  | 'axon-port-refused'
  | 'bad-signature'
  | 'stale' // nonce or era passed: sign anew
  | 'not-included' // dropped, usurped, invalid or not in a block before its deadline
  | 'refused'; // the runtime said no, in words that this table does not know

export type WaitCode = 'weights-too-fast' | 'serving-too-fast' | 'reveal-too-early' | 'registrations-too-fast';

export type ChainFailure =
  | (Failure & { readonly code: PlainCode })
  | (Failure & {
      readonly code: WaitCode;
      /** Absent when the chain refused without saying; ask again after a few blocks. */
      readonly retryAtBlock: number | undefined;
    })
  | (Failure & {
      readonly code: 'runtime-changed';
      /** What we use and the runtime lacks or changed, one entry each. */
      readonly items: readonly string[];
    });

export type ChainFailureCode = ChainFailure['code'];

/** Failures of the node or of our own side; everything else is for whoever asked to mend. */
const OURS: ReadonlySet<PlainCode> = new Set([
  'unreachable',
  'node-refused',
  'other-chain',
  'block-unknown',
  'bad-signature',
  'stale',
  'not-included',
]);

export const plainFailure = (code: PlainCode, message: string): ChainFailure => ({
  code,
  fault: OURS.has(code) ? 'us' : 'caller',
  message,
});

export const waitFailure = (code: WaitCode, message: string, retryAtBlock: number | undefined): ChainFailure => ({
  code,
  fault: 'caller',
  message: retryAtBlock === undefined ? message : `${message}; try again at block ${retryAtBlock}`,
  retryAtBlock,
});

export const runtimeChanged = (runtime: string, items: readonly string[]): ChainFailure => ({
  code: 'runtime-changed',
  fault: 'us',
  message: `the chain's runtime (${runtime}) lacks or changed what this program uses: ${items.join(', ')}; install a newer version`,
  items,
});
