/**
 * The portable type registry of metadata (`scale-info`): every type once, referred to by number. Types are told apart
 * by identity: the `TypeTable` gives one object a name, and structural types are keyed by what they are made of.
 */
import { type Field, type ScaleValue, type Type, WRAPPER_PATHS } from '../scale/type.ts';

const docs: ScaleValue = [];

export class PortableRegistry {
  readonly #ids = new Map<string, number>();
  readonly #named = new Map<Type, string>();
  readonly #types: ScaleValue[] = [];

  /** The number of `type`, which is registered with all that it is made of. */
  id(type: Type): number {
    const key = this.#key(type);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#types.length;
    this.#ids.set(key, id);
    this.#types.push(undefined);
    this.#types[id] = { id, type: { path: this.#path(type), params: this.#params(type), def: this.#def(type), docs } };
    return id;
  }

  /** All types, in the form of `metadata-format.ts`. */
  list(): readonly ScaleValue[] {
    return this.#types;
  }

  #key(type: Type): string {
    switch (type.kind) {
      case 'primitive':
        return type.name;
      case 'struct':
      case 'enum': {
        const known = this.#named.get(type);
        if (known) return known;
        const key = `#${this.#named.size}`;
        this.#named.set(type, key);
        return key;
      }
      case 'tuple':
        return `(${type.of.map((part) => this.#key(part)).join()})`;
      case 'array':
        return `[${this.#key(type.of)};${type.length}]`;
      case 'wrapper':
        return `${type.name}<${this.#key(type.of)}>`;
      default:
        return `${type.kind}<${this.#key(type.of)}>`;
    }
  }

  #path(type: Type): string[] {
    if (type.kind === 'struct' || type.kind === 'enum') return type.path.split('::');
    return type.kind === 'wrapper' ? WRAPPER_PATHS[type.name].split('::') : [];
  }

  #params(type: Type): ScaleValue {
    if (type.kind === 'struct' || type.kind === 'enum') {
      return type.params.map((param) => ({ name: param.name ?? '', type: this.id(param.type) }));
    }
    if (type.kind !== 'wrapper') return [];
    const first = { name: 'T', type: this.id(type.of) };
    return type.name === 'BoundedVec' ? [first, { name: 'S', type: undefined }] : [first];
  }

  #def(type: Type): ScaleValue {
    switch (type.kind) {
      case 'primitive':
        return { type: 'Primitive', value: { type: type.name } };
      case 'compact':
        return { type: 'Compact', value: { type: this.id(type.of) } };
      case 'sequence':
        return { type: 'Sequence', value: { type: this.id(type.of) } };
      case 'array':
        return { type: 'Array', value: { len: type.length, type: this.id(type.of) } };
      case 'tuple':
        return { type: 'Tuple', value: type.of.map((part) => this.id(part)) };
      case 'struct':
        return { type: 'Composite', value: { fields: this.#fields(type.fields) } };
      case 'enum':
        return this.#variants(type.variants);
      case 'wrapper':
        if (type.name === 'Option') {
          return this.#variants([
            { name: 'None', index: 0, fields: [] },
            { name: 'Some', index: 1, fields: [{ type: type.of }] },
          ]);
        }
        return {
          type: 'Composite',
          value: {
            fields: this.#fields([{ type: type.name === 'Cow' ? type.of : { kind: 'sequence', of: type.of } }]),
          },
        };
    }
  }

  #variants(variants: readonly { name: string; index: number; fields: readonly Field[] }[]): ScaleValue {
    return {
      type: 'Variant',
      value: {
        variants: variants.map(({ name, index, fields }) => ({ name, index, fields: this.#fields(fields), docs })),
      },
    };
  }

  #fields(fields: readonly Field[]): ScaleValue {
    return fields.map((field) => ({ name: field.name, type: this.id(field.type), typeName: undefined, docs }));
  }
}
