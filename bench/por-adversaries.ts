/** `npm run adversaries`: who cheats in rounds of por/v1, how often it must be caught and how often it was. */
import process from 'node:process';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { dishonestValidators } from '#shared/testing/dishonest-validators.ts';
import { deviates, porAdversaries } from '#shared/testing/por-adversaries.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';

const ROUNDS = 500;
const seed = Number(process.argv[2] ?? Date.now() % 1_000_000);
const ports = { kernel: loadNodeKernel(), sr25519: await loadSr25519(), seed };
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const row = (id: string, expected: string, measured: string, note = '') =>
  console.log(`${id.padEnd(58)}${expected.padStart(9)}${measured.padStart(10)}  ${note}`);

const startedMs = performance.now();
console.log(`${ROUNDS} rounds each, seed ${seed}\n`);
row('caught', 'expected', 'measured');
let wrong = 0;
for (const adversary of [...porAdversaries(ports), ...dishonestValidators(ports)]) {
  const result = await adversary.run(ROUNDS);
  const off = deviates(result);
  if (off) wrong++;
  row(adversary.id, percent(result.expected), percent(result.detected / result.rounds), off ? 'WRONG' : '');
}
console.log(`\n${wrong} with another rate than expected; ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
process.exitCode = wrong === 0 ? 0 : 1;
