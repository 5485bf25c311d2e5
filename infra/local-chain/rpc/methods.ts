/**
 * The methods that any client may call over HTTP or WebSocket: the Substrate JSON-RPC family as `@polkadot/api` and the
 * official Python SDK use it (polkadot-sdk `sc-rpc-api`). Subscriptions are in `subscribe-methods.ts`.
 */
import { toHex } from '#shared/primitives/bytes.ts';
import { parseSs58, SS58_PREFIX } from '#shared/primitives/ids.ts';
import { METADATA_VERSIONS } from '../metadata/metadata-format.ts';
import type { Block, Header } from '../node/block.ts';
import type { Chain } from '../node/chain.ts';
import type { RuntimeCalls } from '../runtime/runtime-calls.ts';
import { RUNTIME_VERSION_JSON } from '../runtime/runtime-version.ts';
import { rpcFailureOf } from '../runtime/validity.ts';
import type { StateView } from '../state/state-view.ts';
import { invalidParams, type Json, RpcRefusal } from './json-rpc.ts';
import { bytesParam, countParam, hex, keyParam, keysParam, numberParam, textParam } from './params.ts';

export interface RpcNode {
  readonly chain: Chain;
  readonly runtime: RuntimeCalls;
  readonly version: string;
  readonly chainName: string;
}
export type Method = (node: RpcNode, params: readonly Json[]) => Json;

const MAX_PAGE = 1000;
/** polkadot-sdk's codes of its `state` and `chain` errors. */
const UNKNOWN_BLOCK = 4003;
const RUNTIME_CALL_FAILED = 4003;
const NAME = 'filetao local chain';

export const headerJson = ({ parentHash, number, stateRoot, extrinsicsRoot }: Header): Json => ({
  parentHash: hex(parentHash),
  number: `0x${number.toString(16)}`,
  stateRoot: hex(stateRoot),
  extrinsicsRoot: hex(extrinsicsRoot),
  digest: { logs: [] },
});

/** A parameter that may be left out, or null: then the head. */
function blockAt({ chain }: RpcNode, value: Json | undefined): Block | undefined {
  if (value === undefined || value === null) return chain.head;
  return chain.blocks.byHash(toHex(bytesParam(value, 'block hash')));
}

/** The state of a block and its number; refused when it is unknown or too long ago. */
function stateAt(node: RpcNode, value: Json | undefined): { readonly state: StateView; readonly block: Block } {
  const block = blockAt(node, value);
  if (!block) {
    const data = `UnknownBlock: Header was not found in the database: ${String(value)}`;
    throw new RpcRefusal({ code: UNKNOWN_BLOCK, message: `Client error: ${data}` });
  }
  const { number } = block.header;
  if (!node.chain.state.has(number)) {
    throw new RpcRefusal({
      code: UNKNOWN_BLOCK,
      message: `Client error: UnknownBlock: State already discarded for ${hex(block.hash)}`,
    });
  }
  return { state: node.chain.state.at(number), block };
}

const valueJson = (value: Uint8Array | undefined): Json => (value ? hex(value) : null);

function storageChanges(node: RpcNode, keys: readonly string[], at: Json | undefined): Json {
  const { state, block } = stateAt(node, at);
  return [{ block: hex(block.hash), changes: keys.map((key) => [`0x${key}`, valueJson(state.read(key))]) }];
}

function storageKeys(node: RpcNode, [prefix, count, start, at]: readonly Json[]): Json {
  const { block } = stateAt(node, at);
  const from = start === undefined || start === null ? '' : keyParam(start, 'start key');
  const wanted = countParam(count, 'count', MAX_PAGE);
  const key = prefix === undefined || prefix === null ? '' : keyParam(prefix, 'prefix');
  return node.chain.state.keys(key, wanted, from, block.header.number).map((found) => `0x${found}`);
}

/** One hash, or as many as numbers were asked for. */
function blockHash(node: RpcNode, [value]: readonly Json[]): Json {
  const hashOf = (number: Json): Json => {
    const block = number === null ? node.chain.head : node.chain.blocks.at(numberParam(number, 'block number'));
    return block ? hex(block.hash) : null;
  };
  return Array.isArray(value) ? value.map(hashOf) : hashOf(value ?? null);
}

function stateCall(node: RpcNode, [name, data, at]: readonly Json[]): Json {
  const { state } = stateAt(node, at);
  const method = textParam(name, 'method');
  const answered = node.runtime.call(state, method, bytesParam(data, 'data'));
  if (!answered.ok) {
    throw new RpcRefusal({
      code: RUNTIME_CALL_FAILED,
      message: `Client error: Execution failed: ${answered.failure.message}`,
    });
  }
  return hex(answered.value);
}

function submit(node: RpcNode, [data]: readonly Json[]): Json {
  const submitted = node.chain.submit(bytesParam(data, 'extrinsic'));
  if (!submitted.ok) throw new RpcRefusal(rpcFailureOf(submitted.failure));
  return hex(submitted.extrinsic.hash);
}

function nextIndex(node: RpcNode, [account]: readonly Json[]): Json {
  const key = parseSs58(textParam(account, 'account'));
  if (!key) throw new RpcRefusal(invalidParams('account must be an SS58 address with prefix 42'));
  return node.chain.pool.nextNonce(key, node.chain.nonceOf(key));
}

function block(node: RpcNode, [at]: readonly Json[]): Json {
  const found = blockAt(node, at);
  if (!found) return null;
  return { block: { header: headerJson(found.header), extrinsics: found.extrinsics.map(hex) }, justifications: null };
}

function paymentInfo(node: RpcNode, [data, at]: readonly Json[]): Json {
  const bytes = bytesParam(data, 'extrinsic');
  const fee = node.runtime.fee(bytes);
  stateAt(node, at);
  if (!fee) throw new RpcRefusal(invalidParams('extrinsic cannot be decoded'));
  return { weight: { ref_time: 0, proof_size: 0 }, class: 'normal', partialFee: fee.toString() };
}

const header: Method = (node, [at]) => {
  const found = blockAt(node, at);
  return found ? headerJson(found.header) : null;
};
const storage: Method = (node, [key, at]) => valueJson(stateAt(node, at).state.read(keyParam(key, 'key')));

export const METHODS: Readonly<Record<string, Method>> = {
  system_chain: (node) => node.chainName,
  system_name: () => NAME,
  system_version: (node) => node.version,
  system_chainType: () => 'Local',
  system_properties: () => ({ ss58Format: SS58_PREFIX, tokenDecimals: 9, tokenSymbol: 'TAO' }),
  system_health: () => ({ peers: 0, isSyncing: false, shouldHavePeers: false }),
  system_accountNextIndex: nextIndex,
  account_nextIndex: nextIndex,
  chain_getBlock: block,
  chain_getBlockHash: blockHash,
  chain_getHead: blockHash,
  chain_getFinalizedHead: (node) => hex(node.chain.finalized.hash),
  chain_getHeader: header,
  state_getRuntimeVersion: (node, [at]) => {
    stateAt(node, at);
    return RUNTIME_VERSION_JSON;
  },
  chain_getRuntimeVersion: () => RUNTIME_VERSION_JSON,
  state_getMetadata: (node, [at]) => {
    stateAt(node, at);
    return hex(node.runtime.metadata(METADATA_VERSIONS[0]));
  },
  state_getStorage: storage,
  state_getStorageAt: storage,
  state_getStorageSize: (node, [key, at]) => stateAt(node, at).state.read(keyParam(key, 'key'))?.length ?? null,
  state_getKeysPaged: storageKeys,
  state_getKeysPagedAt: storageKeys,
  state_queryStorageAt: (node, [keys, at]) => storageChanges(node, keysParam(keys, 'keys'), at),
  state_call: stateCall,
  state_callAt: stateCall,
  author_submitExtrinsic: submit,
  author_pendingExtrinsics: (node) => node.chain.pool.pending().map(hex),
  payment_queryInfo: paymentInfo,
};
