/** Hashing for those who judge answers in Node: whole rows in the kernel, single buffers by the system's library. */
import { createHash } from 'node:crypto';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import type { Judging } from './verify-answer.ts';

export const nodeFastHashing = (): Judging['fast'] & object => ({
  rows: loadNodeKernel(),
  sha256: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
});
