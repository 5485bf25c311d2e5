/**
 * How a runtime is written down here, and its parser. One line an item:
 *   storage    `Name? H:Key H:Key -> Value = default`   (`?`: optional; without default: zeros)
 *   calls      `index name { argument: Type, … }`, events `index Name { … }` or `index Name(Type, …)`
 *   errors     names in order from 0                    constants `Name: Type = value` or `= local`
 *   methods    `name(argument: Type, …) -> Type`
 * All bytes are hexadecimal.
 */
import { fromHex } from '#shared/primitives/bytes.ts';
import { invariant } from '#shared/primitives/failure.ts';
import type { Field, Type, Variant } from '../scale/type.ts';
import type { TypeTable } from '../scale/type-table.ts';

export interface VariantList {
  readonly path: string;
  readonly list: string;
}
export interface PalletDeclaration {
  readonly name: string;
  readonly index: number;
  readonly storage?: string;
  readonly calls?: VariantList;
  readonly events?: VariantList;
  readonly errors?: VariantList;
  readonly constants?: string;
}
export interface ApiDeclaration {
  readonly name: string;
  readonly version: number;
  readonly methods: string;
}

export const HASHERS = { I: 'Identity', B: 'Blake2_128Concat', T: 'Twox64Concat' } as const;
export type Hasher = (typeof HASHERS)[keyof typeof HASHERS];

export interface StorageItem {
  readonly pallet: string;
  readonly name: string;
  readonly optional: boolean;
  readonly keys: readonly { readonly hasher: Hasher; readonly type: Type }[];
  readonly value: Type;
  /** What a missing entry decodes from. */
  readonly fallback: Uint8Array;
}
export interface Constant {
  readonly name: string;
  readonly type: Type;
  /** Undefined where the value is the local chain's own. */
  readonly value: Uint8Array | undefined;
}
export interface Method {
  readonly name: string;
  readonly inputs: readonly Field[];
  readonly output: Type;
}

export const lines = (block: string | undefined): string[] =>
  (block ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

function bytes(text: string, line: string): Uint8Array {
  const value = fromHex(text);
  invariant(value, `no hexadecimal bytes: ${line}`);
  return value;
}

const STORAGE = /^(\w+)(\?)? (.*?)-> (.+?)(?: = ([0-9a-f]+))?$/;
const KEY = /([IBT]):(\w+)/g;

export function parseStorage(pallet: PalletDeclaration, types: TypeTable): StorageItem[] {
  return lines(pallet.storage).map((line) => {
    const [, name, mark, keys, valueText, fallback] = STORAGE.exec(line) ?? [];
    invariant(name && valueText && keys !== undefined, `no storage item: ${line}`);
    const value = types.get(valueText);
    return {
      pallet: pallet.name,
      name,
      optional: mark === '?',
      keys: [...keys.matchAll(KEY)].map(([, hasher, type]) => ({
        hasher: HASHERS[hasher as keyof typeof HASHERS],
        type: types.get(type as string),
      })),
      value,
      fallback: fallback ? bytes(fallback, line) : new Uint8Array(mark ? 1 : zeroBytes(value)),
    };
  });
}

/** How many bytes the all-zero value takes: an empty vector is one zero byte. */
function zeroBytes(type: Type): number {
  switch (type.kind) {
    case 'primitive':
      return type.name === 'bool' || type.name === 'str' ? 1 : Number(type.name.slice(1)) / 8;
    case 'array':
      return type.length * zeroBytes(type.of);
    case 'tuple':
      return type.of.reduce((sum, part) => sum + zeroBytes(part), 0);
    case 'struct':
      return type.fields.reduce((sum, field) => sum + zeroBytes(field.type), 0);
    default:
      return 1;
  }
}

const VARIANT = /^(\d+) (\w+)(.*)$/;

export function parseVariants(list: VariantList | undefined, types: TypeTable): Variant[] {
  return lines(list?.list).map((line) => {
    const [, index, name, fields] = VARIANT.exec(line) ?? [];
    invariant(name && fields !== undefined, `no variant: ${line}`);
    return { name, index: Number(index), fields: types.fields(fields) };
  });
}

export const parseErrors = (list: VariantList | undefined): Variant[] =>
  lines(list?.list)
    .flatMap((line) => line.split(' '))
    .map((name, index) => ({ name, index, fields: [] }));

const CONSTANT = /^(\w+): (.+) = ([0-9a-f]+|local)$/;

export function parseConstants(pallet: PalletDeclaration, types: TypeTable): Constant[] {
  return lines(pallet.constants).map((line) => {
    const [, name, type, value] = CONSTANT.exec(line) ?? [];
    invariant(name && type && value, `no constant: ${line}`);
    return { name, type: types.get(type), value: value === 'local' ? undefined : bytes(value, line) };
  });
}

const METHOD = /^(\w+)\((.*)\) -> (.+)$/;

export function parseMethods(api: ApiDeclaration, types: TypeTable): Method[] {
  return lines(api.methods).map((line) => {
    const [, name, inputs, output] = METHOD.exec(line) ?? [];
    invariant(name && inputs !== undefined && output, `no method: ${line}`);
    return { name, inputs: types.fields(inputs ? `{ ${inputs} }` : ''), output: types.get(output) };
  });
}
