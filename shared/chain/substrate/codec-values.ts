/** Plain values out of `@polkadot/types` codecs, by what they encode and not by their classes. */
import type { Codec } from '@polkadot/types/types';
import { type Hotkey, hotkeyOf } from '#shared/primitives/ids.ts';

/** Any unsigned integer, compact or not. */
export const bigOf = (value: Codec): bigint => BigInt(value.toString());
/** Any unsigned integer below 2^53: block numbers, counts, u16. */
export function numberOf(value: Codec): number {
  const number = Number(bigOf(value));
  if (!Number.isSafeInteger(number)) throw new RangeError(`${value.toString()} is no safe integer`);
  return number;
}
export const boolOf = (value: Codec): boolean => value.toU8a()[0] === 1;
/** An AccountId32 with our prefix, whatever prefix the chain prefers. */
export const accountOf = (value: Codec): Hotkey => hotkeyOf(value.toU8a());

export function listOf(value: Codec): readonly Codec[] {
  if (!Array.isArray(value)) throw new TypeError(`${value.toRawType()} is no list`);
  return value as readonly Codec[];
}

/** Fields of a struct by the names that the metadata gives them. */
export function fieldsOf(value: Codec): (name: string) => Codec {
  const fields = value as unknown as { get?: (name: string) => Codec | undefined };
  return (name) => {
    const camel = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    const field = fields.get?.(camel) ?? fields.get?.(name);
    if (!field) throw new TypeError(`${value.toRawType()} has no ${name}`);
    return field;
  };
}
