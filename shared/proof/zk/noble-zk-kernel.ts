/**
 * The zk kernel over `@noble/curves`: the reference that the WebAssembly kernel is judged by, and what runs where
 * WebAssembly does not. Slow: 15 ms a commitment.
 */
import { pippenger } from '@noble/curves/abstract/curve.js';
import { ristretto255 } from '@noble/curves/ed25519.js';
import { concatBytes } from '#shared/primitives/bytes.ts';
import { invariant } from '#shared/primitives/failure.ts';
import { littleEndian, ORDER, SCALAR_BYTES } from './scalar.ts';
import { GENERATORS, POINT_BYTES, ROW_BYTES, type ZkKernel } from './zk-kernel.ts';

const { Point } = ristretto255;
type Point = InstanceType<typeof Point>;

const pieces = (bytes: Uint8Array, size: number): Uint8Array[] =>
  Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(i * size, (i + 1) * size));

function decodePoints(bytes: Uint8Array): Point[] | undefined {
  try {
    return pieces(bytes, POINT_BYTES).map((point) => Point.fromBytes(point));
  } catch {
    return undefined;
  }
}

export function createNobleZkKernel(generators: Uint8Array): ZkKernel {
  const bases = decodePoints(generators);
  invariant(bases?.length === GENERATORS, `${GENERATORS} generators, each a point`);

  function sum(points: readonly Point[], scalars: readonly Uint8Array[]): Uint8Array {
    const terms = points
      .map((point, i) => ({ point, scalar: littleEndian(scalars[i] as Uint8Array) % ORDER }))
      .filter(({ scalar }) => scalar > 0n);
    if (terms.length === 0) return Point.ZERO.toBytes();
    const [left, right] = [terms.map(({ point }) => point), terms.map(({ scalar }) => scalar)];
    return pippenger(Point, left, right).toBytes();
  }

  return {
    commit(rows) {
      invariant(rows.length % ROW_BYTES === 0, 'whole rows');
      return concatBytes(...pieces(rows, ROW_BYTES).map((row) => sum(bases, pieces(row, SCALAR_BYTES))));
    },
    combine(row, points, scalars) {
      invariant(row.length === ROW_BYTES && points.length === scalars.length, 'one row, and a scalar for each point');
      const decoded = decodePoints(points);
      if (points.length % POINT_BYTES !== 0 || !decoded) return undefined;
      return sum([...bases, ...decoded], [...pieces(row, SCALAR_BYTES), ...pieces(scalars, SCALAR_BYTES)]);
    },
  };
}
