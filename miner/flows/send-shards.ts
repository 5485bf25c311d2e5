/**
 * Shards from disk to a caller, a piece at a time whatever their size; a caller that stops reading stops the disk, and
 * one that leaves closes the file. What goes wrong after the first byte can only cut the connection: the length was
 * promised.
 */
import type { Hotkey } from '#shared/primitives/ids.ts';
import { type AnchorId, hexId } from '#shared/primitives/ids.ts';
import { encodeProblem } from '#shared/wire/problem.ts';
import { encodeItemHead } from '#shared/wire/replies.ts';
import type { OpenShard, ShardStore } from '../store/shard-store.ts';

/** One read of the disk: large enough to be cheap, small enough for a hundred at once. */
const READ_BYTES = 128 * 1024;

/** Resolves when the bytes may be overwritten, which is when the other side reads on; rejects when it left. */
export type Send = (bytes: Uint8Array) => Promise<void>;

/** Sends exactly `shard.bytes` bytes and closes the file. */
export async function sendShard(shard: OpenShard, send: Send): Promise<void> {
  try {
    const piece = new Uint8Array(Math.min(READ_BYTES, shard.bytes));
    for (let at = 0; at < shard.bytes; ) {
      const { bytesRead } = await shard.handle.read(piece, 0, Math.min(piece.length, shard.bytes - at), at);
      if (bytesRead === 0) throw new Error('the file became shorter while it was read');
      at += bytesRead;
      await send(piece.subarray(0, bytesRead));
    }
  } finally {
    await shard.handle.close();
  }
}

/** The shards of `POST /v1/shards/read`, in the order asked, each behind its head; what is not here is a problem. */
export async function sendShards(
  store: ShardStore,
  tenant: Hotkey,
  anchorIds: readonly AnchorId[],
  send: Send,
): Promise<void> {
  for (const anchorId of anchorIds) {
    const shard = await store.openShard(tenant, anchorId);
    if (!shard.ok) {
      const problem = encodeProblem(shard.failure.code, shard.failure.message);
      await send(encodeItemHead('problem', problem.length));
      await send(problem);
      continue;
    }
    await send(encodeItemHead('shard', shard.value.bytes));
    await sendShard(shard.value, send);
  }
}

/** The anchors of a read request's body; undefined when it is not 1 to `most` of them. */
export function parseAnchors(body: Uint8Array, most: number): readonly AnchorId[] | undefined {
  const count = body.length / 32;
  if (!Number.isInteger(count) || count < 1 || count > most) return undefined;
  return Array.from({ length: count }, (_, index) => hexId<AnchorId>(body.slice(32 * index, 32 * index + 32), 32));
}
