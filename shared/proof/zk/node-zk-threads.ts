/**
 * Commitments in worker threads: a shard's leaves are dealt out in parts, each thread has a kernel of its own (20 MB of
 * tables, built in 0.1 s). For the client, which anchors whole files and shows how far it is; a miner's own shards are
 * small enough for one thread. Nothing runs before the first shard comes, and `close` leaves nothing running.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { invariant } from '#shared/primitives/failure.ts';
import { LEAF_BYTES, leafCount } from '../anchor.ts';
import { POINT_BYTES } from './zk-kernel.ts';

/** Enough to be worth a message, few enough that threads end together and progress is seen. */
const PART_LEAVES = 128;

export interface ZkThreads {
  /**
   * C_i of all leaves, as `commitLeaves` makes them; `zkAnchorFrom` makes the anchor of them.
   * @param onLeaves called with the number of leaves that were just done
   */
  commit(blindKey: Uint8Array, shard: Uint8Array, onLeaves?: (leaves: number) => void): Promise<Uint8Array>;
  /** Ends the threads; what is under way is rejected. */
  close(): Promise<void>;
}

/** What goes to a thread; its answer is the commitments of these leaves. */
export interface ZkPart {
  readonly blindKey: Uint8Array;
  readonly bytes: Uint8Array;
  readonly first: number;
}

interface Job extends ZkPart {
  done(commitments: Uint8Array): void;
  failed(reason: Error): void;
}

export function startZkThreads(threads: number = availableParallelism()): ZkThreads {
  invariant(Number.isSafeInteger(threads) && threads >= 1, `${threads} threads`);
  const waiting: Job[] = [];
  const running = new Map<Worker, Job | undefined>();
  let closed = false;

  function feed(worker: Worker): void {
    const job = waiting.shift();
    running.set(worker, job);
    if (!job) {
      // An idle thread must not keep the process alive.
      worker.unref();
      return;
    }
    worker.ref();
    const part: ZkPart = { blindKey: job.blindKey, bytes: job.bytes, first: job.first };
    worker.postMessage(part);
  }

  function start(): void {
    const worker = new Worker(new URL('./node-zk-worker.ts', import.meta.url));
    worker.on('message', (commitments: Uint8Array) => {
      running.get(worker)?.done(commitments);
      feed(worker);
    });
    const fallen = (reason: Error) => {
      running.get(worker)?.failed(reason);
      running.delete(worker);
      // With no thread left nobody would ever take what waits.
      if (running.size === 0) for (const job of waiting.splice(0)) job.failed(reason);
    };
    worker.on('error', fallen);
    worker.on('exit', (code) => fallen(new Error(`a commitment thread ended with code ${code}`)));
    feed(worker);
  }

  const enqueue = (part: ZkPart): Promise<Uint8Array> =>
    new Promise((done, failed) => {
      if (closed) return failed(new Error('the commitment threads are closed'));
      waiting.push({ ...part, done, failed });
      const idle = [...running].find(([, job]) => !job)?.[0];
      if (idle) feed(idle);
      else if (running.size < threads) start();
    });

  return {
    async commit(blindKey, shard, onLeaves) {
      const commitments = new Uint8Array(leafCount(shard.length) * POINT_BYTES);
      const parts: Promise<void>[] = [];
      for (let first = 0; first < leafCount(shard.length); first += PART_LEAVES) {
        // Copies: a message takes whole buffers along, and a shard may be a view of a segment.
        const bytes = shard.slice(first * LEAF_BYTES, (first + PART_LEAVES) * LEAF_BYTES);
        parts.push(
          enqueue({ blindKey: blindKey.slice(), bytes, first }).then((some) => {
            commitments.set(some, first * POINT_BYTES);
            onLeaves?.(some.length / POINT_BYTES);
          }),
        );
      }
      await Promise.all(parts);
      return commitments;
    },
    async close() {
      closed = true;
      const reason = new Error('the commitment threads are closed');
      for (const job of waiting.splice(0)) job.failed(reason);
      await Promise.all([...running.keys()].map((worker) => worker.terminate()));
    },
  };
}
