/**
 * Does this runtime have what we use, in the shape we use it? Reads the chain's own metadata; a difference is a text
 * that names the item (`required-items.ts`).
 */
import type { ApiPromise } from '@polkadot/api';
import {
  REQUIRED_CALLS,
  REQUIRED_EVENTS,
  REQUIRED_RUNTIME_APIS,
  REQUIRED_STORAGE,
  type RequiredCall,
  type RequiredEvent,
  type RequiredRuntimeApi,
  type RequiredStorage,
} from '../required-items.ts';

type Metadata = Pick<ApiPromise, 'runtimeMetadata' | 'registry'>;
type LookupId = Parameters<Metadata['registry']['lookup']['getTypeDef']>[0];

/** One entry for each difference; none means that this program understands the chain. */
export function checkRuntime(metadata: Metadata): readonly string[] {
  const look = new Look(metadata);
  return [
    ...REQUIRED_STORAGE.map((item) => look.storage(item)),
    ...REQUIRED_CALLS.map((item) => look.call(item)),
    ...REQUIRED_EVENTS.map((item) => look.event(item)),
    ...REQUIRED_RUNTIME_APIS.map((item) => look.runtimeApi(item)),
  ].filter((difference) => difference !== undefined);
}

class Look {
  readonly #metadata: Metadata;

  constructor(metadata: Metadata) {
    this.#metadata = metadata;
  }

  get #latest() {
    return this.#metadata.runtimeMetadata.asLatest;
  }
  get #lookup() {
    return this.#metadata.registry.lookup;
  }

  #pallet(name: string) {
    return this.#latest.pallets.find((pallet) => pallet.name.toString() === name);
  }
  #typeName(id: LookupId): string {
    const { type, lookupName } = this.#lookup.getTypeDef(id);
    return lookupName ?? type;
  }
  #fieldNames(id: LookupId): readonly string[] {
    const { def } = this.#lookup.getSiType(id);
    if (!def.isComposite) return [];
    return def.asComposite.fields.map((field) => field.name.unwrapOrDefault().toString());
  }
  #lacks(id: LookupId, fields: readonly string[]): readonly string[] {
    const present = this.#fieldNames(id);
    return fields.filter((field) => !present.includes(field));
  }

  storage({ pallet, item, keys, value }: RequiredStorage): string | undefined {
    const name = `storage ${pallet}.${item}`;
    const entry = this.#pallet(pallet)
      ?.storage.unwrapOr(undefined)
      ?.items.find((candidate) => candidate.name.toString() === item);
    if (!entry) return name;
    const { type } = entry;
    const valueId = type.isPlain ? type.asPlain : type.asMap.value;
    const foundKeys = type.isPlain ? [] : this.#keyTypes(type.asMap.key, type.asMap.hashers.length);
    if (foundKeys.join() !== keys.join()) return `${name} (keys ${foundKeys.join(', ') || 'none'})`;
    if (typeof value === 'string') {
      const found = this.#typeName(valueId);
      return found === value ? undefined : `${name} (now ${found})`;
    }
    const lacking = this.#lacks(valueId, value);
    return lacking.length === 0 ? undefined : `${name} (without ${lacking.join(', ')})`;
  }

  /** A map of several keys has one tuple for them. */
  #keyTypes(id: LookupId, hashers: number): readonly string[] {
    if (hashers === 1) return [this.#typeName(id)];
    const { def } = this.#lookup.getSiType(id);
    return def.isTuple ? def.asTuple.map((part) => this.#typeName(part)) : [this.#typeName(id)];
  }

  #variant(id: LookupId, name: string) {
    const { def } = this.#lookup.getSiType(id);
    return def.isVariant ? def.asVariant.variants.find((variant) => variant.name.toString() === name) : undefined;
  }

  call({ pallet, call, args }: RequiredCall): string | undefined {
    const name = `call ${pallet}.${call}`;
    const calls = this.#pallet(pallet)?.calls.unwrapOr(undefined);
    const variant = calls && this.#variant(calls.type, call);
    if (!variant) return name;
    const found = variant.fields.map(
      (field) => `${field.name.unwrapOrDefault().toString()}: ${this.#typeName(field.type)}`,
    );
    const wanted = args.map(([arg, type]) => `${arg}: ${type}`);
    return found.join() === wanted.join() ? undefined : `${name} (now ${found.join(', ')})`;
  }

  event({ pallet, event, fields }: RequiredEvent): string | undefined {
    const name = `event ${pallet}.${event}`;
    const events = this.#pallet(pallet)?.events.unwrapOr(undefined);
    const variant = events && this.#variant(events.type, event);
    if (!variant) return name;
    const found = variant.fields.map((field) => this.#typeName(field.type));
    return found.join() === fields.join() ? undefined : `${name} (now ${found.join(', ')})`;
  }

  runtimeApi({ api, method, args, fields }: RequiredRuntimeApi): string | undefined {
    const name = `runtime API ${api}.${method}`;
    const found = this.#latest.apis
      .find((candidate) => candidate.name.toString() === api)
      ?.methods.find((candidate) => candidate.name.toString() === method);
    if (!found) return undefined;
    const foundArgs = found.inputs.map((input) => this.#typeName(input.type));
    if (foundArgs.join() !== args.join()) return `${name} (arguments ${foundArgs.join(', ')})`;
    const { def } = this.#lookup.getSiType(found.output);
    const some = def.isVariant
      ? def.asVariant.variants.find((variant) => variant.name.toString() === 'Some')
      : undefined;
    const inner = some?.fields[0]?.type;
    const lacking = inner ? this.#lacks(inner, fields) : fields;
    return lacking.length === 0 ? undefined : `${name} (without ${lacking.join(', ')})`;
  }
}
