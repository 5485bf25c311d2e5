/**
 * Signs a call, sends it and waits until it is in a block, or finalized. One transaction of an account at a time, so
 * that nonces never collide; a nonce that counts what waits in the pool; an era after which the transaction can never
 * land; and after a lost connection the blocks since are searched, so that "sent" is never left unknown while it can be
 * known.
 */
import type { SubmittableExtrinsic } from '@polkadot/api/types';
import { u8aToHex } from '@polkadot/util';
import type { Signer } from '#shared/primitives/signer.ts';
import { plainFailure } from '../chain-failure.ts';
import { bytesOfHex } from '../header.ts';
import type { BlockRef } from '../ports.ts';
import { ChainRefusal, RpcUnreachable, refuse } from '../rpc-error.ts';
import { type Connection, hex } from './connection.ts';
import { extrinsicFailure, readEvents } from './read-events.ts';

/** Blocks within which it must land: 13 minutes of Bittensor. */
const ERA_BLOCKS = 64;
const DEADLINE_MS = 180_000;
const SEARCH_PAUSE_MS = 1_000;
/** MultiSignature::Sr25519. */
const SR25519 = '0x01';

export type Until = 'included' | 'finalized';
/** One after another for each account. */
export type AccountQueue = Map<string, Promise<unknown>>;

export async function submit(
  connection: Connection,
  queue: AccountQueue,
  call: SubmittableExtrinsic<'promise'>,
  signer: Signer,
  until: Until,
): Promise<BlockRef> {
  const before = queue.get(signer.hotkey) ?? Promise.resolve();
  const turn = before.catch(() => undefined).then(() => submitNow(connection, call, signer, until));
  queue.set(signer.hotkey, turn);
  try {
    return await turn;
  } finally {
    if (queue.get(signer.hotkey) === turn) queue.delete(signer.hotkey);
  }
}

async function submitNow(
  connection: Connection,
  call: SubmittableExtrinsic<'promise'>,
  signer: Signer,
  until: Until,
): Promise<BlockRef> {
  const { socket, heads } = connection;
  const { api } = await connection.runtime();
  const base = await heads.newest('finalized');
  const nonce = Number(await socket.send('system_accountNextIndex', [signer.hotkey]));
  const signed = await call.signAsync(signer.hotkey, {
    nonce,
    blockHash: hex(base.hash),
    era: api.registry.createType('ExtrinsicEra', { current: base.number, period: ERA_BLOCKS }),
    signer: {
      signRaw: async ({ data }) => {
        const bytes = bytesOfHex(data);
        if (!bytes) throw new Error('a payload that is no hex');
        return { id: 0, signature: `${SR25519}${hex(signer.sign(bytes)).slice(2)}` };
      },
    },
  });
  const encoded = u8aToHex(signed.toU8a());
  const blockHash =
    (await watch(connection, encoded, until)) ?? (await search(connection, encoded, base.number, until));
  return outcome(connection, encoded, blockHash);
}

type Status = string | Readonly<Record<string, unknown>>;

const ENDS: Readonly<Record<string, string>> = {
  dropped: 'the node dropped the transaction from its pool',
  invalid: 'the transaction became invalid before it was in a block',
  usurped: 'another transaction of this account took its place',
  finalityTimeout: 'its block was not finalized in time',
};

/** Hash of its block; undefined when the connection was lost or the node stayed silent: then it may have landed. */
async function watch(connection: Connection, encoded: string, until: Until): Promise<Uint8Array | undefined> {
  const { socket, clock } = connection;
  const deadline = new AbortController();
  let subscription: number | undefined;
  try {
    return await new Promise<Uint8Array | undefined>((resolve, reject) => {
      const onStatus = (status: unknown) => {
        const [name, value] = readStatus(status as Status);
        const end = ENDS[name];
        if (end) return reject(new ChainRefusal(plainFailure('not-included', end)));
        if (name === 'finalized' || (name === 'inBlock' && until === 'included')) resolve(bytesOfHex(value, 32));
      };
      socket
        .subscribe('author_submitAndWatchExtrinsic', [encoded], onStatus, () => resolve(undefined))
        .then(
          (key) => {
            subscription = key;
          },
          (error: unknown) => (error instanceof RpcUnreachable ? resolve(undefined) : reject(error)),
        );
      clock.sleep(DEADLINE_MS, deadline.signal).then(
        () => resolve(undefined),
        () => undefined,
      );
    });
  } finally {
    deadline.abort();
    if (subscription !== undefined) await socket.unsubscribe('author_unwatchExtrinsic', subscription);
  }
}

function readStatus(status: Status): readonly [name: string, value: unknown] {
  if (typeof status === 'string') return [status, undefined];
  const [first] = Object.entries(status ?? {});
  return first ?? ['', undefined];
}

/** Looks through the blocks in which it can be; refuses `not-included` once it is in none of them for good. */
async function search(connection: Connection, encoded: string, base: number, until: Until): Promise<Uint8Array> {
  const { socket, heads, clock } = connection;
  const deadlineMs = clock.nowMs() + DEADLINE_MS;
  let next = base + 1;
  while (next <= base + ERA_BLOCKS) {
    const head = await heads.newest(until === 'finalized' ? 'finalized' : 'best');
    for (; next <= Math.min(head.number, base + ERA_BLOCKS); next++) {
      const hash = bytesOfHex(await socket.send('chain_getBlockHash', [next]), 32);
      if (hash && (await positionIn(connection, encoded, hash)) >= 0) return hash;
    }
    if (clock.nowMs() >= deadlineMs) break;
    await clock.sleep(SEARCH_PAUSE_MS);
  }
  return refuse(plainFailure('not-included', 'the transaction came into no block in time'));
}

async function positionIn({ socket }: Connection, encoded: string, blockHash: Uint8Array): Promise<number> {
  const answer = await socket.send('chain_getBlock', [hex(blockHash)]);
  const { extrinsics } = (answer as { block?: { extrinsics?: unknown } } | null)?.block ?? {};
  return Array.isArray(extrinsics) ? extrinsics.indexOf(encoded) : -1;
}

async function outcome(connection: Connection, encoded: string, blockHash: Uint8Array | undefined): Promise<BlockRef> {
  if (!blockHash) return refuse(plainFailure('node-refused', 'the node named no block'));
  const index = await positionIn(connection, encoded, blockHash);
  const header = (await connection.socket.send('chain_getHeader', [hex(blockHash)])) as { number?: string } | null;
  const number = Number(header?.number);
  if (index < 0 || !Number.isSafeInteger(number)) {
    return refuse(plainFailure('not-included', 'the block that held the transaction is gone'));
  }
  const failure = extrinsicFailure(await connection.runtime(), await readEvents(connection, blockHash), index);
  return failure ? refuse(failure) : { number, hash: blockHash };
}
