/**
 * The extrinsic of the real chain (node-subtensor, spec 424): version, types, and its transaction extensions in order:
 * identifier, what travels in the extrinsic, what is only signed.
 */
export const EXTRINSIC = {
  versions: [4, 5],
  type: 'SelfContainedExtrinsic',
  address: 'MultiAddress',
  signature: 'MultiSignature',
  call: 'RuntimeCall',
} as const;

export const TRANSACTION_EXTENSIONS: readonly (readonly [identifier: string, type: string, implicit: string])[] = [
  ['CheckNonZeroSender', 'CheckNonZeroSender', '()'],
  ['CheckSpecVersion', 'CheckSpecVersion', 'u32'],
  ['CheckTxVersion', 'CheckTxVersion', 'u32'],
  ['CheckGenesis', 'CheckGenesis', 'H256'],
  ['CheckMortality', 'CheckMortality', 'H256'],
  ['CheckNonce', 'CheckNonce', '()'],
  ['CheckWeight', 'CheckWeight', '()'],
  ['ChargeTransactionPayment', 'ChargeTransactionPayment', '()'],
  ['SudoTransactionExtension', 'SudoTransactionExtension', '()'],
  ['CheckShieldedTxValidity', 'CheckShieldedTxValidity', '()'],
  ['SubtensorTransactionExtension', 'SubtensorTransactionExtension', '()'],
  ['DrandPriority', 'DrandPriority', '()'],
  ['CheckMetadataHash', 'CheckMetadataHash', 'Option<[u8; 32]>'],
];
