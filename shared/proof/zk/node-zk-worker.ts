/** One thread of `node-zk-threads.ts`: commits to the leaves of each part that it is sent. */
import { parentPort } from 'node:worker_threads';
import { loadNodeZkKernel } from './node-zk-kernel.ts';
import type { ZkPart } from './node-zk-threads.ts';
import { commitLeaves } from './zk-anchor.ts';

parentPort?.on('message', ({ blindKey, bytes, first }: ZkPart) => {
  const commitments = commitLeaves(loadNodeZkKernel(), blindKey, bytes, first);
  parentPort?.postMessage(commitments);
});
