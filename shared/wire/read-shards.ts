/**
 * `POST /v1/shards/read`: several shards of one miner in one answer, handed out one by one as they are complete, in
 * the order asked. What cannot be read any more fails item by item, so that there are always as many results as
 * shards were asked. The anchors are the caller's to check.
 */
import { concatBytes } from '#shared/primitives/bytes.ts';
import { fail, invariant, type Result, succeed } from '#shared/primitives/failure.ts';
import { type AnchorId, idBytes } from '#shared/primitives/ids.ts';
import { chunkReader } from './chunk-reader.ts';
import { MAX_PROBLEM_BYTES, MAX_READ_ITEMS } from './limits.ts';
import { connectionFailure, minerFailure, problemFailure } from './miner-failure.ts';
import { type Answer, discard, type MinerTransport } from './miner-transport.ts';
import type { MinerFailure, MinerPeer, Turn } from './ports.ts';
import { parseProblem } from './problem.ts';
import { ITEM_HEAD_BYTES, ReadAnswerParser, type ReadItem } from './replies.ts';

export interface WantedShard {
  readonly anchorId: AnchorId;
  readonly bytes: number;
}

export async function* readShards(
  transport: MinerTransport,
  miner: MinerPeer,
  shards: readonly WantedShard[],
  signal: AbortSignal,
  turn?: Turn,
): AsyncGenerator<Result<Uint8Array, MinerFailure>, void, undefined> {
  invariant(shards.length <= MAX_READ_ITEMS, `at most ${MAX_READ_ITEMS} shards in one read`);
  if (shards.length === 0) return;
  const opened = await transport.open(
    miner,
    {
      method: 'POST',
      target: '/v1/shards/read',
      wantedStatus: 200,
      body: concatBytes(...shards.map((shard) => idBytes(shard.anchorId))),
      contentType: 'application/octet-stream',
      answerBytes: answerBytes(shards),
      turn,
    },
    signal,
  );
  if (!opened.ok) {
    for (const _ of shards) yield opened;
    return;
  }
  let done = 0;
  let failure: MinerFailure | undefined;
  for await (const result of items(miner, opened.value, shards)) {
    if ('items' in result) {
      for (const item of result.items) {
        done++;
        yield item.kind === 'shard' ? succeed(item.body) : fail(problemFailure(miner.hotkey, parseProblem(item.body)));
      }
    } else failure = result;
  }
  const rest = failure ?? connectionFailure(miner.hotkey, undefined);
  for (; done < shards.length; done++) yield fail(rest);
}

/** The longest right answer: every item a shard or, where that is longer, a problem. */
function answerBytes(shards: readonly WantedShard[]): number {
  let bytes = 0;
  for (const shard of shards) bytes += ITEM_HEAD_BYTES + Math.max(shard.bytes, MAX_PROBLEM_BYTES);
  return bytes;
}

/** Batches of complete items, then a failure if there was one. Leaving early cancels the answer. */
async function* items(
  miner: MinerPeer,
  { response, exchange }: Answer,
  shards: readonly WantedShard[],
): AsyncGenerator<{ readonly items: readonly ReadItem[] } | MinerFailure, void, undefined> {
  const parser = new ReadAnswerParser(shards.map((shard) => shard.bytes));
  const reader = response.body ? chunkReader(response.body, answerBytes(shards)) : undefined;
  const cancel = () => void reader?.cancel().catch(() => undefined);
  exchange.signal.addEventListener('abort', cancel, { once: true });
  try {
    for (;;) {
      exchange.wait();
      const read = await reader?.read().catch(() => 'broken' as const);
      exchange.rest();
      if (exchange.ended || read === 'broken') return yield connectionFailure(miner.hotkey, exchange.ended);
      if (!read) break;
      const { items: complete, failure } = parser.push(read);
      if (complete.length > 0) yield { items: complete };
      if (failure) return yield minerFailure(miner.hotkey, 'broken', failure.message);
    }
    const failure = parser.finish();
    // Ended in good order but too early: by a cut, or by a miner that stops; nobody can tell.
    if (failure) yield minerFailure(miner.hotkey, 'unreachable', failure.message);
  } finally {
    exchange.end('closed');
    cancel();
    discard(response);
  }
}
