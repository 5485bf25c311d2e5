import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideRange } from './range.ts';

const part = (first: number, last: number) => ({ kind: 'part', first, last });
const WHOLE = { kind: 'whole' };
const UNSATISFIABLE = { kind: 'unsatisfiable' };

describe('decideRange', () => {
  const cases: readonly { id: string; header: string | undefined; bytes: number; is: object }[] = [
    { id: 'no header', header: undefined, bytes: 10, is: WHOLE },
    { id: 'first byte', header: 'bytes=0-0', bytes: 10, is: part(0, 0) },
    { id: 'inner', header: 'bytes=2-5', bytes: 10, is: part(2, 5) },
    { id: 'open end', header: 'bytes=4-', bytes: 10, is: part(4, 9) },
    { id: 'end beyond the file', header: 'bytes=4-99', bytes: 10, is: part(4, 9) },
    { id: 'end beyond all numbers', header: `bytes=4-${'9'.repeat(400)}`, bytes: 10, is: part(4, 9) },
    { id: 'suffix', header: 'bytes=-3', bytes: 10, is: part(7, 9) },
    { id: 'suffix longer than the file', header: 'bytes=-30', bytes: 10, is: part(0, 9) },
    { id: 'unit in capitals', header: 'BYTES=1-2', bytes: 10, is: part(1, 2) },
    { id: 'space around', header: ' bytes= 1-2 ', bytes: 10, is: part(1, 2) },
    { id: 'first byte behind the end', header: 'bytes=10-', bytes: 10, is: UNSATISFIABLE },
    { id: 'far behind the end', header: `bytes=${'9'.repeat(400)}-`, bytes: 10, is: UNSATISFIABLE },
    { id: 'empty suffix', header: 'bytes=-0', bytes: 10, is: UNSATISFIABLE },
    { id: 'any byte of nothing', header: 'bytes=0-', bytes: 0, is: UNSATISFIABLE },
    { id: 'suffix of nothing', header: 'bytes=-5', bytes: 0, is: WHOLE },
    { id: 'backwards', header: 'bytes=5-2', bytes: 10, is: WHOLE },
    { id: 'two ranges', header: 'bytes=0-1,4-5', bytes: 10, is: WHOLE },
    { id: 'another unit', header: 'lines=0-1', bytes: 10, is: WHOLE },
    { id: 'no unit', header: '0-1', bytes: 10, is: WHOLE },
    { id: 'only a dash', header: 'bytes=-', bytes: 10, is: WHOLE },
    { id: 'nothing', header: 'bytes=', bytes: 10, is: WHOLE },
    { id: 'negative', header: 'bytes=--3', bytes: 10, is: WHOLE },
    { id: 'signed', header: 'bytes=+1-2', bytes: 10, is: WHOLE },
    { id: 'hexadecimal', header: 'bytes=0x1-2', bytes: 10, is: WHOLE },
    { id: 'fraction', header: 'bytes=1.5-2', bytes: 10, is: WHOLE },
    { id: 'letters', header: 'bytes=a-b', bytes: 10, is: WHOLE },
    { id: 'space within', header: 'bytes=1 - 2', bytes: 10, is: WHOLE },
    { id: 'other digits', header: 'bytes=١-٢', bytes: 10, is: WHOLE },
  ];
  test.each(cases)('$id', ({ header, bytes, is }) => {
    expect(decideRange(header, bytes)).toEqual(is);
  });

  test('names only bytes that exist, whatever the header says', () => {
    const header = fc.oneof(
      fc.string(),
      fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `bytes=${a}-${b}`),
      fc.stringMatching(/^bytes=\d{0,20}-\d{0,20}$/),
    );
    fc.assert(
      fc.property(header, fc.nat(1000), (text, bytes) => {
        const decision = decideRange(text, bytes);
        if (decision.kind !== 'part') return;
        expect(decision.first).toBeGreaterThanOrEqual(0);
        expect(decision.last).toBeGreaterThanOrEqual(decision.first);
        expect(decision.last).toBeLessThan(bytes);
      }),
    );
  });
});
