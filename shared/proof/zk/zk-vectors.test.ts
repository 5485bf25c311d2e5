/** zk/v1's known answers, which the reference kernel and every other must give. */
import { readFileSync } from 'node:fs';
import { sha512 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { ByteWriter, concatBytes, fromHex, toHex } from '#shared/primitives/bytes.ts';
import { referenceKernel } from '#shared/testing/reference-kernel.ts';
import { vectorData } from '#shared/testing/vector-data.ts';
import { LEAF_BYTES } from '../anchor.ts';
import { zkGenerators } from './generators.ts';
import { blindingOf, leafRow } from './leaf-rows.ts';
import { createNobleZkKernel } from './noble-zk-kernel.ts';
import { provePossession } from './prove-possession.ts';
import { SCALAR_BYTES } from './scalar.ts';
import { verifyPossession } from './verify-possession.ts';
import { zkAnchorIdOf, zkAnchorOf, zkLevelsOf } from './zk-anchor.ts';
import { splitZkBody } from './zk-body.ts';
import { challengeOf, weightOf } from './zk-challenge.ts';
import { GENERATORS, POINT_BYTES } from './zk-kernel.ts';

const vectors = JSON.parse(readFileSync(new URL('../../../test/vectors/zk-v1.json', import.meta.url), 'utf8'));
const hex = (text: string) => fromHex(text) as Uint8Array;
const rows = (bytes: Uint8Array, width = 32): string[] =>
  Array.from({ length: bytes.length / width }, (_, i) => toHex(bytes.subarray(i * width, (i + 1) * width)));
const kernels = [{ id: 'noble', zk: createNobleZkKernel(zkGenerators()) }];

describe.each(kernels)('the known answers of zk/v1 over $id', ({ zk }) => {
  const shard = vectorData(100_000);
  const blindKey = hex(vectors.blindKey);
  const { anchor, commitments } = zkAnchorOf({ zk, hash: referenceKernel }, blindKey, shard);
  const seed = hex(vectors.seed);

  it('are the anchor', () => {
    expect(rows(zkGenerators())).toEqual(vectors.generators);
    for (const [i, point] of Object.entries(vectors.commitments)) expect(rows(commitments)[Number(i)]).toBe(point);
    expect(toHex(anchor.root)).toBe(vectors.root);
    expect(zkAnchorIdOf(anchor)).toBe(vectors.anchorId);
  });
  it('are the proof', () => {
    const nonces = Array.from({ length: GENERATORS }, (_, j) =>
      sha512(new ByteWriter().tag('vector-only nonce').u32(j).finish()),
    );
    const holding = {
      anchor,
      blindKey,
      commitments,
      levels: zkLevelsOf(referenceKernel, commitments),
      leafAt: (i: number) => shard.subarray(i * LEAF_BYTES, (i + 1) * LEAF_BYTES),
    };
    const proof = provePossession({ zk, random: () => concatBytes(...nonces) }, holding, seed, vectors.indices);
    expect(proof.ok).toBe(true);
    if (!proof.ok) return;
    const body = splitZkBody(proof.value, vectors.indices.length);
    expect(toHex(body.t)).toBe(vectors.T);
    expect(rows(body.z)).toEqual(vectors.z);
    expect(verifyPossession(zk, { anchor, seed, indices: vectors.indices, body: proof.value })).toEqual({
      ok: true,
      value: undefined,
    });
  });
});
