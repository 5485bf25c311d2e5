/** Pieces of WebAssembly text that all generators of the zk kernel write with. */
import { LAYOUT, PAIR_BYTES } from './layout.ts';

export const range = (count: number): number[] => [...Array(count).keys()];
export const lines = (parts: readonly string[]): string => parts.join('\n');
export const get = (local: string): string => `(local.get ${local})`;
export const set = (local: string, value: string): string => `(local.set ${local} ${value})`;
export const locals = (names: readonly string[], type: 'i32' | 'i64' | 'v128'): string =>
  lines(names.map((name) => `(local ${name} ${type})`));
export const call = (name: string, ...operands: readonly string[]): string => `(call ${name} ${operands.join(' ')})`;
export const constant = (value: number): string => `(i32.const ${value})`;
/** The address `bytes` behind the one in a local. */
export const behind = (local: string, bytes: number): string =>
  bytes === 0 ? get(local) : `(i32.add ${get(local)} ${constant(bytes)})`;

/** Hands out places for intermediate pairs; no two functions share one, so calls never overwrite their caller's. */
export class Scratch {
  #next: number = LAYOUT.scratch;

  pairs<Name extends string>(...names: readonly Name[]): Record<Name, string> {
    const places = names.map((name) => {
      const place = constant(this.#next);
      this.#next += PAIR_BYTES;
      return [name, place] as const;
    });
    if (this.#next > LAYOUT.codes) throw new RangeError('the scratch area is full');
    return Object.fromEntries(places) as Record<Name, string>;
  }
}

/** `body` for `$counter` = 0, 1, … while it is below the local `$limit`, which must be at least 1. */
export const repeat = (label: string, counter: string, limit: string, body: string): string => `
  ${set(counter, constant(0))}
  (loop ${label}
    ${body}
    (br_if ${label} (i32.lt_u (local.tee ${counter} (i32.add ${get(counter)} (i32.const 1))) ${get(limit)})))`;
