import { expect, it } from 'vitest';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { createNobleZkKernel } from './noble-zk-kernel.ts';
import { loadNodeZkKernel } from './node-zk-kernel.ts';
import { zkAdversaries } from './testing/zk-adversaries.ts';

const adversaries = zkAdversaries({ zk: loadNodeZkKernel(), zkOver: createNobleZkKernel, hash: loadNodeKernel() });

it.each(adversaries)('$id: $expected', (adversary) => {
  expect(adversary.run()).toBe(adversary.expected);
});
