/**
 * What the runtime says about itself: `state_getRuntimeVersion`, `Core_version`, the constant `System.Version`. The
 * version is the real chain's whose rules and metadata are declared here.
 */
import { blake2b } from '@noble/hashes/blake2.js';
import { toHex, utf8 } from '#shared/primitives/bytes.ts';
import { RUNTIME } from '../metadata/runtime-declaration.ts';
import { encode } from '../scale/encode.ts';

export const SPEC_NAME = 'node-subtensor';
export const SPEC_VERSION = 424;
export const TRANSACTION_VERSION = 1;
const API_ID_BYTES = 8;

const apis = RUNTIME.apis.map(({ name, version }) => [blake2b(utf8(name), { dkLen: API_ID_BYTES }), version] as const);

export const RUNTIME_VERSION_BYTES = encode(RUNTIME.types.get('RuntimeVersion'), {
  spec_name: SPEC_NAME,
  impl_name: SPEC_NAME,
  authoring_version: 1,
  spec_version: SPEC_VERSION,
  impl_version: 1,
  apis,
  transaction_version: TRANSACTION_VERSION,
  system_version: 1,
});

export const RUNTIME_VERSION_JSON = {
  specName: SPEC_NAME,
  implName: SPEC_NAME,
  authoringVersion: 1,
  specVersion: SPEC_VERSION,
  implVersion: 1,
  apis: apis.map(([id, version]) => [`0x${toHex(id)}`, version]),
  transactionVersion: TRANSACTION_VERSION,
  systemVersion: 1,
  stateVersion: 1,
};
