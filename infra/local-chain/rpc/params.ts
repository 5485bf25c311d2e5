/**
 * Parameters of RPC methods: hexadecimal text, block hashes, numbers, lists of keys. What is not what it should be is
 * refused with -32602 and the name of the parameter.
 */
import { fromHex, toHex } from '#shared/primitives/bytes.ts';
import { invalidParams, type Json, RpcRefusal } from './json-rpc.ts';

const MAX_KEYS = 1000;

export const hex = (bytes: Uint8Array): string => `0x${toHex(bytes)}`;

const refuse = (what: string): never => {
  throw new RpcRefusal(invalidParams(what));
};

/** Hexadecimal in either case, with or without 0x: the Python SDK leaves it out of runtime calls. */
export function bytesParam(value: Json | undefined, name: string): Uint8Array {
  const bytes = typeof value === 'string' ? fromHex(value.replace(/^0x/, '').toLowerCase()) : undefined;
  return bytes ?? refuse(`${name} must be hexadecimal`);
}

/** A storage key or prefix as the state has it: lowercase, no prefix. */
export const keyParam = (value: Json | undefined, name: string): string => toHex(bytesParam(value, name));

export function keysParam(value: Json | undefined, name: string): readonly string[] {
  if (!Array.isArray(value)) return refuse(`${name} must be a list of keys`);
  if (value.length > MAX_KEYS) return refuse(`${name} may have at most ${MAX_KEYS} keys`);
  return value.map((key) => keyParam(key, name));
}

export function countParam(value: Json | undefined, name: string, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) return refuse(`${name} must be a number`);
  return value <= most ? value : refuse(`${name} may be at most ${most}`);
}

/** A block number: a number, or as text with 0x. */
export function numberParam(value: Json | undefined, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  if (typeof value === 'string' && /^0x[0-9a-f]{1,13}$/i.test(value)) return Number(value);
  return refuse(`${name} must be a block number`);
}

export function textParam(value: Json | undefined, name: string): string {
  return typeof value === 'string' ? value : refuse(`${name} must be text`);
}
