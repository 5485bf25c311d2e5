/**
 * BITFIELD of the embedded engine, as far as it passes the gateway: signed 64-bit numbers side by side in a string, which
 * wrap. Semantics and errors: Redis 7.0.
 */
import type { Reply } from '../engine.ts';
import { int64, NOT_INTEGER, SYNTAX, textOf } from './arguments.ts';
import type { Keyspace } from './keyspace.ts';
import { store } from './strings.ts';

const EMPTY = new Uint8Array(0);
const FIELD_BYTES = 8;

interface Operation {
  readonly name: 'GET' | 'SET' | 'INCRBY';
  readonly atByte: number;
  readonly value: bigint;
}

function parse(words: readonly Uint8Array[]): readonly Operation[] | undefined | 'number' {
  const operations: Operation[] = [];
  for (let i = 0; i < words.length; ) {
    const [name, type, offset] = words.slice(i, i + 3).map((word) => textOf(word).toUpperCase());
    const known = name === 'GET' || name === 'SET' || name === 'INCRBY' ? name : undefined;
    const field = /^#([0-9]{1,2})$/.exec(offset ?? '')?.[1];
    if (!known || type !== 'I64' || field === undefined) return undefined;
    const text = known === 'GET' ? undefined : words[i + 3];
    if (known !== 'GET' && !text) return undefined;
    const value = text ? int64(text) : 0n;
    if (value === undefined) return 'number';
    operations.push({ name: known, atByte: Number(field) * FIELD_BYTES, value });
    i += known === 'GET' ? 3 : 4;
  }
  return operations;
}

export function bitfield(space: Keyspace, [key = EMPTY, ...words]: readonly Uint8Array[]): Reply {
  const operations = parse(words);
  if (!operations) return SYNTAX;
  if (operations === 'number') return NOT_INTEGER;
  const row = space.findTyped(key, 'string');
  if (row && 'error' in row) return row;
  const old = row?.value ?? EMPTY;
  const writes = operations.filter(({ name }) => name !== 'GET');
  const ends = (all: readonly Operation[]) => all.map(({ atByte }) => atByte + FIELD_BYTES);
  // What is read past the end is zero, and does not make the string longer.
  const bytes = new Uint8Array(Math.max(old.length, ...ends(operations)));
  bytes.set(old);
  const view = new DataView(bytes.buffer);
  const replies = operations.map(({ name, atByte, value }) => {
    const before = view.getBigInt64(atByte);
    if (name === 'GET') return Number(before);
    view.setBigInt64(atByte, name === 'SET' ? value : before + value);
    return Number(name === 'SET' ? before : view.getBigInt64(atByte));
  });
  if (writes.length > 0) {
    store(space, key, bytes.subarray(0, Math.max(old.length, ...ends(writes))), row?.expires ?? null);
  }
  return replies;
}
