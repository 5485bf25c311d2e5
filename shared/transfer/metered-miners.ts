/** A miner client that counts the shard bytes that went through it: what a repair has cost. Used by `rebuild-shards.ts`. */
import type { MinerClient } from '#shared/wire/ports.ts';

export interface ByteMeter {
  readBytes: number;
  sentBytes: number;
}

export function meteredMiners(miners: MinerClient, meter: ByteMeter): MinerClient {
  return {
    ...miners,
    readShards(miner, shards, signal, turn) {
      const inner = miners.readShards(miner, shards, signal, turn)[Symbol.asyncIterator]();
      const end = inner.return?.bind(inner);
      return {
        [Symbol.asyncIterator]: () => ({
          async next() {
            const answer = await inner.next();
            if (!answer.done && answer.value.ok) meter.readBytes += answer.value.value.length;
            return answer;
          },
          ...(end && { return: () => end() }),
        }),
      };
    },
    putShard(miner, order, frame, signal) {
      meter.sentBytes += frame.shard.length;
      return miners.putShard(miner, order, frame, signal);
    },
  };
}
