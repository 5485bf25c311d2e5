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
import { loadNodeZkKernel } from './node-zk-kernel.ts';
import { NonceSource, provePossession } from './prove-possession.ts';
import { SCALAR_BYTES, writeScalar } from './scalar.ts';
import { holdingOf } from './testing/zk-world.ts';
import { verifyPossession } from './verify-possession.ts';
import { zkAnchorIdOf } from './zk-anchor.ts';
import { splitZkBody } from './zk-body.ts';
import { challengeOf, weightOf } from './zk-challenge.ts';
import { GENERATORS } from './zk-kernel.ts';

const vectors = JSON.parse(readFileSync(new URL('../../../test/vectors/zk-v1.json', import.meta.url), 'utf8'));
const hex = (text: string) => fromHex(text) as Uint8Array;
const rows = (bytes: Uint8Array, width = 32): string[] =>
  Array.from({ length: bytes.length / width }, (_, i) => toHex(bytes.subarray(i * width, (i + 1) * width)));
const scalarHex = (value: bigint): string => {
  const bytes = new Uint8Array(SCALAR_BYTES);
  writeScalar(value, bytes, 0);
  return toHex(bytes);
};
const kernels = [
  { id: 'noble', zk: createNobleZkKernel(zkGenerators()) },
  { id: 'wasm', zk: loadNodeZkKernel() },
];

describe.each(kernels)('the known answers of zk/v1 over $id', ({ zk }) => {
  const shard = vectorData(100_000);
  const blindKey = hex(vectors.blindKey);
  const holding = holdingOf(zk, referenceKernel, blindKey, shard);
  const { anchor, commitments } = holding;
  const seed = hex(vectors.seed);

  it('are the generators, the pieces and the blinding', () => {
    expect(rows(zkGenerators())).toEqual(vectors.generators);
    const row = leafRow(shard.subarray(0, LEAF_BYTES), blindingOf(blindKey, 0));
    expect(rows(row)[0]).toBe(vectors.scalar0_0);
    expect(rows(row)[GENERATORS - 1]).toBe(vectors.blind0);
  });

  it('are the anchor', () => {
    for (const [i, point] of Object.entries(vectors.commitments)) expect(rows(commitments)[Number(i)]).toBe(point);
    expect(toHex(anchor.root)).toBe(vectors.root);
    expect(zkAnchorIdOf(anchor)).toBe(vectors.anchorId);
  });
  it('are the weights, T, the challenge and z', () => {
    const { indices } = vectors;
    const drawn = Array.from({ length: GENERATORS }, (_, j) =>
      sha512(new ByteWriter().tag('vector-only nonce').u32(j).finish()),
    );
    const ports = { zk, nonces: new NonceSource(() => concatBytes(...drawn)) };
    const proof = provePossession(ports, holding, seed, indices);
    const body = proof.ok ? proof.value : new Uint8Array(0);
    const parts = splitZkBody(body, indices.length);
    expect(toHex(parts.t)).toBe(vectors.T);
    expect(rows(parts.z)).toEqual(vectors.z);
    expect(indices.map((i: number) => scalarHex(weightOf(seed, vectors.anchorId, i)))).toEqual(vectors.weights);
    const c = challengeOf(seed, vectors.anchorId, indices, parts.commitments, parts.t);
    expect(scalarHex(c)).toBe(vectors.challenge);
    expect(verifyPossession(zk, { anchor, seed, indices, body })).toEqual({ ok: true, value: undefined });
    const tampered = body.slice();
    tampered[32 * indices.length + 40] = (tampered[32 * indices.length + 40] as number) ^ 1;
    expect(verifyPossession(zk, { anchor, seed, indices, body: tampered }).ok).toBe(vectors.tamperedVerifies);
  });
});
