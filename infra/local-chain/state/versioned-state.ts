/**
 * The state at the head and at every block of the recent past: per key, its values with the block that set them. Blocks
 * older than the bound lose their state, as on a pruned node. Keys are kept sorted for `state_getKeysPaged`.
 */
import { invariant } from '#shared/primitives/failure.ts';
import type { Changes, StateView } from './state-view.ts';

interface Version {
  readonly block: number;
  readonly value: Uint8Array | undefined;
}

export class VersionedState {
  readonly #entries = new Map<string, Version[]>();
  readonly #history: number;
  #sorted: string[] = [];
  #unsorted = false;
  #head = -1;
  /** State is known from this block on. */
  #oldest = 0;

  /** @param history how many blocks behind the head keep their state */
  constructor(history: number) {
    this.#history = history;
  }
  get head(): number {
    return this.#head;
  }
  has(block: number): boolean {
    return block >= this.#oldest && block <= this.#head;
  }

  /** Starts from a whole state: genesis, or a snapshot. */
  start(block: number, entries: Changes): void {
    invariant(this.#head === -1, 'a state is started once');
    this.#head = block - 1;
    this.#oldest = block;
    this.apply(block, entries);
  }

  /** Appends the changes of the next block. */
  apply(block: number, changes: Changes): void {
    invariant(block === this.#head + 1, `block ${block} does not follow ${this.#head}`);
    this.#head = block;
    this.#oldest = Math.max(this.#oldest, block - this.#history);
    for (const [key, value] of changes) {
      const versions = this.#entries.get(key);
      if (versions) {
        versions.push({ block, value });
        // The last version at or before the oldest block is what that block reads.
        while (versions[1] && versions[1].block <= this.#oldest) versions.shift();
      } else if (value) {
        this.#entries.set(key, [{ block, value }]);
        this.#sorted.push(key);
        this.#unsorted = true;
      }
    }
  }

  read(key: string, block: number): Uint8Array | undefined {
    const versions = this.#entries.get(key);
    if (!versions) return undefined;
    for (let i = versions.length - 1; i >= 0; i--) {
      const version = versions[i] as Version;
      if (version.block <= block) return version.value;
    }
    return undefined;
  }

  at(block: number): StateView {
    return { read: (key) => this.read(key, block) };
  }

  /** Up to `count` keys that begin with `prefix`, after `start`, in order. */
  keys(prefix: string, count: number, start: string, block: number): string[] {
    if (this.#unsorted) {
      this.#sorted.sort();
      this.#unsorted = false;
    }
    const from = start >= prefix ? start : prefix;
    const found: string[] = [];
    for (let i = this.#position(from); i < this.#sorted.length && found.length < count; i++) {
      const key = this.#sorted[i] as string;
      if (!key.startsWith(prefix)) break;
      if (key > start && this.read(key, block) !== undefined) found.push(key);
    }
    return found;
  }

  /** Every entry at the head. */
  entries(): Map<string, Uint8Array> {
    const all = new Map<string, Uint8Array>();
    for (const [key, versions] of this.#entries) {
      const value = versions.at(-1)?.value;
      if (value) all.set(key, value);
    }
    return all;
  }

  #position(key: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
