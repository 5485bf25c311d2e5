import { expect, it } from 'vitest';
import { letGo } from './let-go.ts';

it('a buffer that was let go shows no bytes to anyone', () => {
  const bytes = new Uint8Array(100).fill(7);
  const view = bytes.subarray(10, 20);
  letGo(bytes);
  expect([bytes.length, view.length, bytes.buffer.byteLength]).toEqual([0, 0, 0]);
});

it('letting go twice does nothing', () => {
  const bytes = new Uint8Array(100);
  letGo(bytes);
  expect(() => letGo(bytes)).not.toThrow();
});

it('memory that is shared with other threads stays', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(100));
  letGo(shared);
  expect(shared.length).toBe(100);
});
