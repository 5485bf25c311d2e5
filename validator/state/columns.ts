/** Reads columns of a row as what they must be; a row of another shape is a broken invariant. Used by all of this folder. */
import type { SQLOutputValue } from 'node:sqlite';
import { invariant } from '#shared/primitives/failure.ts';
import { type AnchorId, hexId } from '#shared/primitives/ids.ts';

export type Row = Record<string, SQLOutputValue>;

export function numberIn(row: Row | undefined, column: string): number {
  const value = row?.[column];
  invariant(typeof value === 'number', `${column} is a number`);
  return value;
}

export function textIn(row: Row | undefined, column: string): string {
  const value = row?.[column];
  invariant(typeof value === 'string', `${column} is a text`);
  return value;
}

export function blobIn(row: Row | undefined, column: string): Uint8Array {
  const value = row?.[column];
  invariant(value instanceof Uint8Array, `${column} is a blob`);
  return value;
}

export const anchorIn = (row: Row | undefined, column = 'anchor'): AnchorId => hexId<AnchorId>(blobIn(row, column), 32);
