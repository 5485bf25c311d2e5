/**
 * The least that storing a file costs on this machine: its bytes hashed, coded at (4, 10), masked, anchored twice (by
 * edge and miner) and written with fsync, each step alone at its best in one process, the CPU's steps spread over all
 * cores. Nothing that does the same work can be faster; the ratio to it says what everything around the work costs.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { encodeRows, splitSegment } from '#shared/codec/reed-solomon.ts';
import { SEGMENT_BYTES } from '#shared/codec/segment.ts';
import { anchorOf } from '#shared/proof/anchor.ts';
import { maskShard } from '#shared/proof/mask.ts';

const K = 4;
const N = 10;
const ROUNDS = 3;
const SEGMENTS_WRITTEN_AT_ONCE = 2;

export interface Step {
  readonly name: string;
  /** Best of some rounds for the whole file, on one core (writing: as parallel as it likes). */
  readonly ms: number;
}

export interface Floor {
  readonly steps: readonly Step[];
  /** Megabytes (10⁶) of the file a second. */
  readonly mbPerSecond: number;
}

async function best(work: () => unknown): Promise<number> {
  let ms = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const startedMs = performance.now();
    await work();
    ms = Math.min(ms, performance.now() - startedMs);
  }
  return ms;
}

/** @param folder on the disk that the miners write to; what is written there is removed again */
export async function storeFloor(bytes: number, folder: string): Promise<Floor> {
  const kernel = loadNodeKernel();
  const segment = crypto.getRandomValues(new Uint8Array(65_536));
  const whole = new Uint8Array(SEGMENT_BYTES);
  for (let at = 0; at < SEGMENT_BYTES; at += segment.length) whole.set(segment, at);
  const data = splitSegment(whole, K);
  const parity = Array.from({ length: N - K }, (_, i) => K + i);
  const shards = [...data, ...encodeRows(kernel, data, K, parity)];
  const key = new Uint8Array(32);
  const scale = bytes / SEGMENT_BYTES;
  const scratch = join(folder, 'floor');

  const write = async (): Promise<void> => {
    mkdirSync(scratch, { recursive: true });
    const files = Array.from({ length: SEGMENTS_WRITTEN_AT_ONCE * N }, (_, i) => i);
    await Promise.all(
      files.map(async (i) => {
        const file = await open(join(scratch, String(i)), 'w');
        await file.writeFile(shards[i % N] as Uint8Array);
        await file.sync();
        await file.close();
      }),
    );
    rmSync(scratch, { recursive: true });
  };

  const cpu: Step[] = [
    { name: 'hash', ms: scale * (await best(() => createHash('sha256').update(whole).digest())) },
    { name: 'code', ms: scale * (await best(() => encodeRows(kernel, data, K, parity))) },
    { name: 'mask', ms: scale * (await best(() => Promise.all(shards.map((shard) => maskShard(key, shard))))) },
    { name: 'anchor twice', ms: 2 * scale * (await best(() => shards.map((shard) => anchorOf(kernel, shard)))) },
  ];
  const written: Step = { name: 'write', ms: (scale / SEGMENTS_WRITTEN_AT_ONCE) * (await best(write)) };
  const ms = cpu.reduce((sum, step) => sum + step.ms, 0) / availableParallelism() + written.ms;
  return { steps: [...cpu, written], mbPerSecond: bytes / 1000 / ms };
}
