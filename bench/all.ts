/** `npm run bench`: every benchmark after another, each in a process of its own so that none warms or fills another. */
import { spawnSync } from 'node:child_process';

const BENCHMARKS: readonly (readonly string[])[] = [
  ['codec.ts'],
  ['transfer.ts'],
  ['miner.ts'],
  ['index-memory.ts'],
  ['index-speed.ts'],
  ['describe-network.ts'],
  ['audit.ts'],
  ['zk.ts'],
  ['whole-network.ts'],
  ['worker-memory.ts'],
  ['client.ts'],
  ['distance.ts'],
];

const only = process.argv[2];
const failed: string[] = [];
for (const [file = '', ...options] of BENCHMARKS) {
  if (only && file !== `${only}.ts`) continue;
  console.log(`\n== ${file} ${options.join(' ')}\n`);
  const args = ['--disable-warning=ExperimentalWarning', `${import.meta.dirname}/${file}`, ...options];
  if (spawnSync(process.execPath, args, { stdio: 'inherit' }).status !== 0) failed.push(file);
}
if (failed.length > 0) {
  console.error(`\nnot finished: ${failed.join(', ')}`);
  process.exit(1);
}
