import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { createNobleZkKernel } from './noble-zk-kernel.ts';
import { loadNodeZkKernel } from './node-zk-kernel.ts';
import { zkAdversaries } from './testing/zk-adversaries.ts';

const adversaries = zkAdversaries({ zk: loadNodeZkKernel(), zkOver: createNobleZkKernel, hash: loadNodeKernel() });

it.each(adversaries)('$id: $expected', (adversary) => {
  expect(adversary.run()).toBe(adversary.expected);
});

it('the table in docs/proofs.md is this one', () => {
  const text = readFileSync(new URL('../../../docs/proofs.md', import.meta.url), 'utf8').replaceAll('`', '');
  for (const { id, expected } of adversaries) expect(text).toContain(`| ${id} | ${expected} |`);
});
