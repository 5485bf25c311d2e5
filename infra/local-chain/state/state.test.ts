import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Overlay } from './state-view.ts';
import { VersionedState } from './versioned-state.ts';

const HISTORY = 6;
const key = fc.constantFrom('aa', 'aa01', 'ab', 'ab0203', 'ff');
const change = fc.tuple(key, fc.option(fc.uint8Array({ maxLength: 2 }), { nil: undefined }));

describe('the state', () => {
  it('answers every block of its history as a full copy of each would', () => {
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 5 }), { minLength: 1, maxLength: 20 }), (blocks) => {
        const state = new VersionedState(HISTORY);
        const copies: Map<string, Uint8Array>[] = [];
        blocks.forEach((changes, number) => {
          const copy = new Map(copies.at(-1));
          for (const [name, value] of changes) {
            if (value) copy.set(name, value);
            else copy.delete(name);
          }
          copies.push(copy);
          if (number === 0) state.start(0, new Map(changes));
          else state.apply(number, new Map(changes));
        });
        const head = blocks.length - 1;
        expect(state.entries()).toEqual(copies[head]);
        for (let number = 0; number <= head; number++) {
          expect(state.has(number)).toBe(number >= head - HISTORY);
          if (!state.has(number)) continue;
          const copy = copies[number] ?? new Map();
          for (const name of ['aa', 'aa01', 'ab', 'ab0203', 'ff']) {
            expect(state.read(name, number)).toEqual(copy.get(name));
          }
          const sorted = [...copy.keys()].sort();
          expect(state.keys('', 100, '', number)).toEqual(sorted);
          expect(state.keys('aa', 1, 'aa', number)).toEqual(sorted.filter((name) => name === 'aa01'));
          expect(state.keys('ab', 100, '', number)).toEqual(sorted.filter((name) => name.startsWith('ab')));
        }
      }),
    );
  });

  it('is left alone by an overlay that is thrown away', () => {
    const state = new VersionedState(HISTORY);
    state.start(0, new Map([['aa', Uint8Array.of(1)]]));
    const overlay = new Overlay(state.at(0));
    overlay.write('aa', undefined);
    const inner = new Overlay(overlay);
    inner.write('ab', Uint8Array.of(2));
    expect(overlay.read('ab')).toBeUndefined();
    overlay.absorb(inner.changes);
    expect([overlay.read('aa'), overlay.read('ab')]).toEqual([undefined, Uint8Array.of(2)]);
    expect(state.read('aa', 0)).toEqual(Uint8Array.of(1));
  });
});
