/**
 * SCALE types as data: what a runtime's metadata says about them, and what the codec needs. A type is written as text
 * (`Vec<(u16, AccountId32)>`) and looked up by name in a `TypeTable`; the codec, the metadata builder and the metadata
 * comparison all work on this one form.
 */
export const PRIMITIVES = [
  'bool',
  'str',
  'u8',
  'u16',
  'u32',
  'u64',
  'u128',
  'i8',
  'i16',
  'i32',
  'i64',
  'i128',
] as const;
export type Primitive = (typeof PRIMITIVES)[number];

export const INTEGER_BYTES: Record<Exclude<Primitive, 'bool' | 'str'>, number> = {
  u8: 1,
  u16: 2,
  u32: 4,
  u64: 8,
  u128: 16,
  i8: 1,
  i16: 2,
  i32: 4,
  i64: 8,
  i128: 16,
};

export interface Field {
  readonly name?: string;
  readonly type: Type;
}
export interface Variant {
  readonly name: string;
  readonly index: number;
  readonly fields: readonly Field[];
}
/** Generic types of the standard library, with the path that metadata gives them. */
export const WRAPPER_PATHS = {
  Option: 'Option',
  Cow: 'Cow',
  BoundedVec: 'bounded_collections::bounded_vec::BoundedVec',
} as const;
export type Wrapper = keyof typeof WRAPPER_PATHS;

export type Type =
  | { readonly kind: 'primitive'; readonly name: Primitive }
  | { readonly kind: 'compact' | 'sequence'; readonly of: Type }
  | { readonly kind: 'array'; readonly of: Type; readonly length: number }
  | { readonly kind: 'tuple'; readonly of: readonly Type[] }
  | { readonly kind: 'wrapper'; readonly name: Wrapper; readonly of: Type }
  | {
      readonly kind: 'struct';
      readonly path: string;
      readonly params: readonly Field[];
      readonly fields: readonly Field[];
    }
  | {
      readonly kind: 'enum';
      readonly path: string;
      readonly params: readonly Field[];
      readonly variants: readonly Variant[];
    };

/**
 * A decoded value. Integers up to 32 bits are numbers, wider ones bigints; bytes (`[u8; n]`, `Vec<u8>`) are
 * Uint8Array; a struct with one unnamed field is that field; a tuple is an array; an enum is `{ type, value? }`;
 * `Option` is undefined or the value (`null` for `Some(None)`).
 */
export type ScaleValue =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly ScaleValue[]
  | { readonly [field: string]: ScaleValue };

export const isBytes = (type: Type): boolean => type.kind === 'primitive' && type.name === 'u8';
