/**
 * Shape against shape: a declared type against one of a metadata blob, followed down to the primitives. The declared
 * side is finite, so the walk ends even where the blob's types are recursive.
 */
import { type Field, type Type, type Variant, WRAPPER_PATHS } from '../scale/type.ts';
import type { FoundField, FoundMetadata, FoundType, FoundVariant } from './read-metadata.ts';

const KINDS = {
  primitive: 'Primitive',
  compact: 'Compact',
  sequence: 'Sequence',
  array: 'Array',
  tuple: 'Tuple',
  struct: 'Composite',
  enum: 'Variant',
} as const;

export class TypeComparison {
  readonly #types = new Map<number, FoundType>();
  readonly #say: (where: string, what: string) => void;
  /** Pairs compared before: each difference is told once. */
  readonly #seen = new Map<Type, Set<number>>();

  constructor(found: FoundMetadata, say: (where: string, what: string) => void) {
    for (const { id, type } of found.types) this.#types.set(id, type);
    this.#say = say;
  }

  /** The variants of the enum with this number; none when it is no enum. */
  variants(id: number | undefined): readonly FoundVariant[] {
    const type = id === undefined ? undefined : this.#types.get(id);
    return type?.def.type === 'Variant' ? type.def.value.variants : [];
  }

  compare(where: string, declared: Type, id: number): void {
    const seen = this.#seen.get(declared) ?? new Set();
    this.#seen.set(declared, seen);
    if (seen.has(id)) return;
    seen.add(id);
    const found = this.#types.get(id);
    if (!found) this.#say(where, `type ${id} is not in the registry`);
    else if (declared.kind === 'wrapper') this.#wrapper(where, declared, found);
    else this.#plain(where, declared, found);
  }

  #plain(where: string, declared: Exclude<Type, { kind: 'wrapper' }>, found: FoundType): void {
    const kind = KINDS[declared.kind];
    if (found.def.type !== kind) {
      this.#say(where, `${found.def.type}, declared ${kind}`);
      return;
    }
    const path = declared.kind === 'struct' || declared.kind === 'enum' ? declared.path : '';
    if (found.path.join('::') !== path) this.#say(where, `type ${found.path.join('::')}, declared ${path}`);
    this.#definition(where, declared, found.def);
  }

  #definition(where: string, declared: Exclude<Type, { kind: 'wrapper' }>, def: FoundType['def']): void {
    switch (declared.kind) {
      case 'primitive':
        if (def.type === 'Primitive' && def.value.type !== declared.name) {
          this.#say(where, `${def.value.type}, declared ${declared.name}`);
        }
        return;
      case 'compact':
      case 'sequence':
        if (def.type === 'Compact' || def.type === 'Sequence') this.compare(where, declared.of, def.value.type);
        return;
      case 'array':
        if (def.type !== 'Array') return;
        if (def.value.len !== declared.length) this.#say(where, `${def.value.len} items, declared ${declared.length}`);
        this.compare(where, declared.of, def.value.type);
        return;
      case 'tuple':
        if (def.type !== 'Tuple') return;
        this.compareFields(
          where,
          declared.of.map((type) => ({ type })),
          def.value.map((type) => ({ type })),
        );
        return;
      case 'struct':
        if (def.type === 'Composite') this.compareFields(where, declared.fields, def.value.fields);
        return;
      case 'enum':
        if (def.type === 'Variant' && !OUTER.test(declared.path)) {
          this.#variants(where, declared.variants, def.value.variants);
        }
        return;
    }
  }

  /** Both ways: an enum inside a value must have the same variants, or some values could not be read. */
  #variants(where: string, declared: readonly Variant[], found: readonly FoundVariant[]): void {
    for (const variant of declared) {
      const other = found.find((candidate) => candidate.name === variant.name);
      if (other) this.compareVariant(`${where}::${variant.name}`, variant, other);
      else this.#say(`${where}::${variant.name}`, 'the variant is gone');
    }
    for (const other of found) {
      if (!declared.some((variant) => variant.name === other.name)) {
        this.#say(`${where}::${other.name}`, `variant ${other.index} is not declared`);
      }
    }
  }

  compareVariant(where: string, declared: Variant, found: FoundVariant): void {
    if (found.index !== declared.index) this.#say(where, `index ${found.index}, declared ${declared.index}`);
    this.compareFields(where, declared.fields, found.fields);
  }

  compareFields(where: string, declared: readonly Field[], found: readonly FoundField[]): void {
    const names = (fields: readonly { readonly name?: string }[]) =>
      fields.map((field) => field.name ?? '_').join(', ');
    if (names(declared) !== names(found)) {
      this.#say(where, `fields (${names(found)}), declared (${names(declared)})`);
      return;
    }
    declared.forEach((field, i) => {
      const other = found[i];
      if (other) this.compare(field.name ? `${where}.${field.name}` : where, field.type, other.type);
    });
  }

  #wrapper(where: string, declared: Extract<Type, { kind: 'wrapper' }>, found: FoundType): void {
    const path = WRAPPER_PATHS[declared.name];
    if (found.path.join('::') !== path) {
      this.#say(where, `type ${found.path.join('::')}, declared ${path}`);
      return;
    }
    const { def } = found;
    const inside =
      def.type === 'Composite'
        ? def.value.fields[0]
        : def.type === 'Variant'
          ? def.value.variants.find((variant) => variant.name === 'Some')?.fields[0]
          : undefined;
    const of: Type = declared.name === 'BoundedVec' ? { kind: 'sequence', of: declared.of } : declared.of;
    if (inside) this.compare(where, of, inside.type);
    else this.#say(where, `${path} has another shape`);
  }
}

/** The enums over all pallets differ by design: their pallets are compared one by one. */
const OUTER = /::Runtime(Call|Event|Error)$/;
