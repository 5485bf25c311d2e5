import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { dishonestValidators } from '#shared/testing/dishonest-validators.ts';
import { deviates, porAdversaries } from '#shared/testing/por-adversaries.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';

const ports = { kernel: loadNodeKernel(), sr25519: await loadSr25519(), seed: 20_261_122 };
const adversaries = [...porAdversaries(ports), ...dishonestValidators(ports)];

it.each(adversaries)('$id: caught as often as must be', async (adversary) => {
  const result = await adversary.run(20);
  expect([result, deviates(result)]).toEqual([result, false]);
});

it('the table in docs/audits.md names each of them', () => {
  const text = readFileSync(new URL('../../docs/audits.md', import.meta.url), 'utf8');
  for (const { id } of adversaries) expect(text).toContain(`| ${id} |`);
});
