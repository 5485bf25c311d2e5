/**
 * What `bench/codec.ts` measures, the same code in Node and in workerd: coding at 10 + 20 over one segment, leaf hashes
 * of one shard, and floors for each. A floor is the least that any implementation must do on this machine.
 */
import type { Hash } from 'node:crypto';
import type { Kernel } from '#shared/codec/kernel.ts';
import { encodeRows, rebuild, splitSegment } from '#shared/codec/reed-solomon.ts';
import { SEGMENT_BYTES } from '#shared/codec/segment.ts';

export interface Job {
  readonly name: string;
  /** Input bytes that one call goes through. */
  readonly bytes: number;
  /** The job whose speed this one is compared with. */
  readonly floor: string;
  run(): void;
}

const K = 10;
const N = 30;
const LEAF_BYTES = 1024;
const MIB = 1024 * 1024;
const PREFIX = Uint8Array.of(0);
const parity = Array.from({ length: N - K }, (_, i) => K + i);
const data = Array.from({ length: K }, (_, i) => i);

function noise(bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(out.subarray(at, at + 65_536));
  return out;
}

/** @param sha256 a new streaming hash of the runtime's own, from `node:crypto` */
export function codecJobs(kernel: Kernel, sha256: () => Hash): readonly Job[] {
  const segment = noise(SEGMENT_BYTES);
  const shards = splitSegment(segment, K);
  const made = encodeRows(kernel, shards, K, parity);
  const ten = parity.slice(0, K).map((index, i) => ({ index, shard: made[i] ?? segment }));
  const four = [...shards.map((shard, index) => ({ index, shard })).slice(4), ...ten.slice(0, 4)];
  const copies = made.map((shard) => new Uint8Array(shard.length));
  const nodes = kernel.hashLeaves(segment);
  return [
    {
      name: 'copy 10 shards in and 20 out',
      bytes: SEGMENT_BYTES,
      floor: '',
      run: () => {
        shards.forEach((shard, i) => {
          copies[i]?.set(shard);
        });
        made.forEach((shard, i) => {
          copies[i]?.set(shard);
        });
      },
    },
    {
      name: 'RS 10+20: encode',
      bytes: SEGMENT_BYTES,
      floor: 'copy 10 shards in and 20 out',
      run: () => encodeRows(kernel, shards, K, parity),
    },
    {
      name: 'RS 10+20: rebuild 10 data from 10 parity',
      bytes: SEGMENT_BYTES,
      floor: 'copy 10 shards in and 20 out',
      run: () => rebuild(kernel, K, N, ten, data),
    },
    {
      name: 'RS 10+20: rebuild 4 lost data',
      bytes: SEGMENT_BYTES,
      floor: 'copy 10 shards in and 20 out',
      run: () => rebuild(kernel, K, N, four, data),
    },
    {
      name: 'SHA-256 in pieces of 1 MiB',
      bytes: SEGMENT_BYTES,
      floor: '',
      run: () => {
        const hash = sha256();
        for (let at = 0; at < SEGMENT_BYTES; at += MIB) hash.update(segment.subarray(at, at + MIB));
        hash.digest();
      },
    },
    {
      name: 'leaves: kernel',
      bytes: SEGMENT_BYTES,
      floor: 'SHA-256 in pieces of 1 MiB',
      run: () => kernel.hashLeaves(segment),
    },
    {
      name: 'leaves: createHash each',
      bytes: SEGMENT_BYTES,
      floor: 'SHA-256 in pieces of 1 MiB',
      run: () => {
        for (let at = 0; at < SEGMENT_BYTES; at += LEAF_BYTES) {
          sha256()
            .update(PREFIX)
            .update(segment.subarray(at, at + LEAF_BYTES))
            .digest();
        }
      },
    },
    {
      name: 'leaves and tree: kernel',
      bytes: SEGMENT_BYTES,
      floor: 'SHA-256 in pieces of 1 MiB',
      run: () => {
        let level = kernel.hashLeaves(segment);
        while (level.length > 32) level = kernel.hashNodes(level);
      },
    },
    {
      name: 'nodes: kernel (per byte of nodes)',
      bytes: nodes.length,
      floor: 'SHA-256 in pieces of 1 MiB',
      run: () => kernel.hashNodes(nodes),
    },
  ];
}
