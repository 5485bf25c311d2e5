/**
 * Subscriptions: heads, storage, the runtime's version, an extrinsic's fate. Only over WebSocket.
 */
import type { Block } from '../node/block.ts';
import type { PoolStatus, Watcher } from '../node/pool.ts';
import { RUNTIME_VERSION_JSON } from '../runtime/runtime-version.ts';
import { rpcFailureOf } from '../runtime/validity.ts';
import type { Changes } from '../state/state-view.ts';
import { type Json, RpcRefusal } from './json-rpc.ts';
import { headerJson, type RpcNode } from './methods.ts';
import { bytesParam, hex, keysParam, textParam } from './params.ts';
import type { Start, Subscriptions } from './subscriptions.ts';

type Subscribe = (node: RpcNode, params: readonly Json[], subscriptions: Subscriptions) => Json;

const ignore = () => undefined;

/** Heads begin with the present one, as clients expect. */
const heads =
  (method: string): Subscribe =>
  ({ chain }, _, subscriptions) =>
    subscriptions.open(method, (notify) => {
      notify(headerJson(chain.head.header));
      return chain.listen({ onHead: (block) => notify(headerJson(block.header)), onFinalized: ignore });
    });

const finalizedHeads: Subscribe = ({ chain }, _, subscriptions) =>
  subscriptions.open('chain_finalizedHead', (notify) => {
    notify(headerJson(chain.finalized.header));
    return chain.listen({ onHead: ignore, onFinalized: (block) => notify(headerJson(block.header)) });
  });

/** All values first, then each block's changes to the keys. */
const storage: Subscribe = ({ chain }, [keys], subscriptions) => {
  const wanted = keysParam(keys, 'keys');
  return subscriptions.open('state_storage', (notify) => {
    const tell = (block: Block, read: (key: string) => Uint8Array | undefined, of: readonly string[]) =>
      notify({
        block: hex(block.hash),
        changes: of.map((key) => {
          const value = read(key);
          return [`0x${key}`, value ? hex(value) : null];
        }),
      });
    tell(chain.head, (key) => chain.headState.read(key), wanted);
    const onHead = (block: Block, changes: Changes) => {
      const changed = wanted.filter((key) => changes.has(key));
      if (changed.length > 0) tell(block, (key) => changes.get(key), changed);
    };
    return chain.listen({ onHead, onFinalized: ignore });
  });
};

const runtimeVersion: Subscribe = (_node, _params, subscriptions) =>
  subscriptions.open('state_runtimeVersion', (notify) => {
    notify(RUNTIME_VERSION_JSON);
    return ignore;
  });

function statusJson(status: PoolStatus): Json {
  return 'blockHash' in status ? { [status.kind]: hex(status.blockHash) } : status.kind;
}

const submitAndWatch: Subscribe = ({ chain }, [data], subscriptions) => {
  const bytes = bytesParam(data, 'extrinsic');
  const start: Start = (notify, end) => {
    const watcher: Watcher = (status) => {
      notify(statusJson(status));
      if (status.kind !== 'inBlock') end();
    };
    const submitted = chain.submit(bytes, watcher);
    if (!submitted.ok) throw new RpcRefusal(rpcFailureOf(submitted.failure));
    notify(submitted.future ? 'future' : 'ready');
    return () => chain.unwatch(submitted.extrinsic, watcher);
  };
  return subscriptions.open('author_extrinsicUpdate', start);
};

const unsubscribe: Subscribe = (_, [id], subscriptions) => subscriptions.close(textParam(id, 'subscription'));

export const SUBSCRIBE_METHODS: Readonly<Record<string, Subscribe>> = {
  chain_subscribeNewHead: heads('chain_newHead'),
  chain_subscribeNewHeads: heads('chain_newHead'),
  chain_subscribeAllHeads: heads('chain_allHead'),
  chain_subscribeFinalizedHeads: finalizedHeads,
  chain_subscribeFinalisedHeads: finalizedHeads,
  state_subscribeStorage: storage,
  state_subscribeRuntimeVersion: runtimeVersion,
  chain_subscribeRuntimeVersion: runtimeVersion,
  author_submitAndWatchExtrinsic: submitAndWatch,
  chain_unsubscribeNewHead: unsubscribe,
  chain_unsubscribeNewHeads: unsubscribe,
  chain_unsubscribeAllHeads: unsubscribe,
  chain_unsubscribeFinalizedHeads: unsubscribe,
  chain_unsubscribeFinalisedHeads: unsubscribe,
  state_unsubscribeStorage: unsubscribe,
  state_unsubscribeRuntimeVersion: unsubscribe,
  chain_unsubscribeRuntimeVersion: unsubscribe,
  author_unwatchExtrinsic: unsubscribe,
};
