/**
 * One runtime of the chain as its metadata describes it: keys and values of storage, calls, runtime APIs. Loaded at
 * connect and again when the chain upgrades (`loadRuntime` refuses one that lacks what we use). The only module that
 * builds an `ApiPromise`.
 */
import { ApiPromise } from '@polkadot/api';
import type { SubmittableExtrinsic } from '@polkadot/api/types';
import type { Codec } from '@polkadot/types/types';
import { hexToU8a, stringCamelCase } from '@polkadot/util';
import { runtimeChanged } from '../chain-failure.ts';
import { RpcUnreachable, refuse } from '../rpc-error.ts';
import type { RpcSocket } from '../rpc-socket.ts';
import { checkRuntime } from './check-runtime.ts';
import { PolkadotProvider } from './polkadot-provider.ts';

/** 0x and lowercase hex digits, as JSON-RPC carries bytes. */
export type Hex = `0x${string}`;

/** One storage entry: where it is and how to read it. `undefined` only for entries without a default. */
export interface StorageEntry {
  readonly key: Hex;
  decode(value: Hex | null): Codec | undefined;
}

export interface Runtime {
  /** "node-subtensor 424". */
  readonly name: string;
  readonly specVersion: number;
  readonly genesisHash: Uint8Array;
  readonly api: ApiPromise;
  storage(pallet: string, item: string, ...keys: readonly unknown[]): StorageEntry;
  call(pallet: string, call: string, ...args: readonly unknown[]): SubmittableExtrinsic<'promise'>;
  /** Undefined when this runtime does not have it. */
  runtimeApi(
    api: string,
    method: string,
  ): { readonly encode: (...args: unknown[]) => Hex; decode(result: Hex): Codec } | undefined;
  /** Ends what this runtime subscribed to; the socket stays. */
  close(): Promise<void>;
}

interface CallMeta {
  readonly params: readonly { readonly type: string }[];
  readonly type: string;
}

/** Rejects with `runtime-changed` when this program cannot work with the chain as it is. */
export async function loadRuntime(socket: RpcSocket, timeoutMs: number): Promise<Runtime> {
  const api = new ApiPromise({ provider: new PolkadotProvider(socket), noInitWarn: true, throwOnUnknown: false });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const failure = new RpcUnreachable(`no answer from ${socket.endpoint} within ${timeoutMs / 1000} s`);
    timer = setTimeout(() => reject(failure), timeoutMs);
  });
  try {
    await Promise.race([api.isReadyOrError, late]);
  } catch (error) {
    await api.disconnect();
    throw error instanceof RpcUnreachable ? error : new RpcUnreachable(messageOf(error));
  } finally {
    clearTimeout(timer);
  }
  const name = `${api.runtimeVersion.specName.toString()} ${api.runtimeVersion.specVersion.toString()}`;
  const differences = checkRuntime(api);
  if (differences.length > 0) {
    await api.disconnect();
    refuse(runtimeChanged(name, differences));
  }
  return runtimeOf(api, name);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function runtimeOf(api: ApiPromise, name: string): Runtime {
  return {
    name,
    specVersion: api.runtimeVersion.specVersion.toNumber(),
    genesisHash: api.genesisHash.toU8a(),
    api,
    storage: (pallet, item, ...keys) => storageEntry(api, pallet, item, keys),
    call(pallet, call, ...args) {
      const make = api.tx[stringCamelCase(pallet)]?.[stringCamelCase(call)];
      // The check at load has seen it.
      if (!make) throw new Error(`no call ${pallet}.${call}`);
      return make(...args);
    },
    runtimeApi(apiName, method) {
      const described = api.call[lowerFirst(apiName)]?.[stringCamelCase(method)] as { meta: CallMeta } | undefined;
      if (!described) return undefined;
      const { meta } = described;
      return {
        encode(...args) {
          const bytes = meta.params.map(({ type }, i) => api.registry.createType(type, args[i]).toU8a());
          return `0x${bytes.map(hexOf).join('')}`;
        },
        decode: (result) => api.registry.createType(meta.type, hexToU8a(result)),
      };
    },
    close: () => api.disconnect(),
  };
}

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

function storageEntry(api: ApiPromise, pallet: string, item: string, keys: readonly unknown[]): StorageEntry {
  const entry = api.query[stringCamelCase(pallet)]?.[stringCamelCase(item)];
  if (!entry) throw new Error(`no storage ${pallet}.${item}`);
  const { type, modifier, fallback } = entry.creator.meta;
  const valueType = api.registry.createLookupType(type.isPlain ? type.asPlain : type.asMap.value);
  return {
    key: entry.key(...keys) as Hex,
    decode(value) {
      if (value !== null) return api.registry.createType(valueType, hexToU8a(value));
      return modifier.isOptional ? undefined : api.registry.createType(valueType, fallback.toU8a(true));
    },
  };
}
