/**
 * What runs on the state sees of it: entries by key. An `Overlay` collects changes on top of another view, so that a
 * failed extrinsic leaves nothing behind; `StoredItem` gives one declared storage item its types.
 */
import { invariant } from '#shared/primitives/failure.ts';
import type { StorageItem } from '../metadata/declaration.ts';
import { storageOf } from '../metadata/runtime-declaration.ts';
import { decode } from '../scale/decode.ts';
import { encode } from '../scale/encode.ts';
import type { ScaleValue } from '../scale/type.ts';
import { storageKey } from './storage-key.ts';

export interface StateView {
  /** The entry, or undefined. Never to be changed in place. */
  read(key: string): Uint8Array | undefined;
}
/** Changed entries; undefined: removed. */
export type Changes = ReadonlyMap<string, Uint8Array | undefined>;

export class Overlay implements StateView {
  readonly #below: StateView;
  #changes = new Map<string, Uint8Array | undefined>();

  constructor(below: StateView) {
    this.#below = below;
  }
  read(key: string): Uint8Array | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#below.read(key);
  }
  write(key: string, value: Uint8Array | undefined): void {
    this.#changes.set(key, value);
  }
  get changes(): Changes {
    return this.#changes;
  }
  /** Takes over what another overlay collected on top of this one. */
  absorb(changes: Changes): void {
    for (const [key, value] of changes) this.#changes.set(key, value);
  }
}

/** One storage item with the types of its keys and value; `V` includes undefined exactly for optional items. */
export class StoredItem<K extends readonly ScaleValue[], V> {
  readonly item: StorageItem;
  readonly #fallback: V;

  constructor(pallet: string, name: string) {
    this.item = storageOf(pallet, name);
    const found = decode(this.item.value, this.item.fallback);
    invariant(found || this.item.optional, `${pallet}.${name} has no readable default`);
    this.#fallback = (this.item.optional ? undefined : found?.value) as V;
  }
  get(state: StateView, ...keys: K): V {
    const bytes = state.read(storageKey(this.item, keys));
    if (!bytes) return this.#fallback;
    const found = decode(this.item.value, bytes);
    invariant(found, `${this.item.pallet}.${this.item.name} holds bytes that are not its type`);
    return found.value as V;
  }
  has(state: StateView, ...keys: K): boolean {
    return state.read(storageKey(this.item, keys)) !== undefined;
  }
  put(state: Overlay, value: NonNullable<V>, ...keys: K): void {
    state.write(storageKey(this.item, keys), encode(this.item.value, value as ScaleValue));
  }
  remove(state: Overlay, ...keys: K): void {
    state.write(storageKey(this.item, keys), undefined);
  }
  /** Replaces the value by what `change` makes of it. */
  update(state: Overlay, change: (value: V) => NonNullable<V>, ...keys: K): void {
    this.put(state, change(this.get(state, ...keys)), ...keys);
  }
}
