import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { LastLineReporter } from './infra/checks/last-line-reporter.ts';

/** Deadlines for machines with more to do than this; no test waits for them. */
const DEADLINES = { testTimeout: 60_000, hookTimeout: 90_000 };
/** Tests that start processes. */
const WHOLE_NETWORKS = ['test/network/**/*.test.ts', 'test/limits/**/*.test.ts'];

/**
 * `node`: everything that runs inside one process. `edge`: the Worker's own code inside workerd. `network`: whole
 * networks of real processes, one file after another, when the rest is done, so that they have the machine alone.
 */
export default defineConfig({
  test: {
    reporters: [new LastLineReporter()],
    projects: [
      {
        test: {
          name: 'node',
          include: ['{shared,miner,validator,infra,test,client}/**/*.test.ts'],
          exclude: [...WHOLE_NETWORKS, '**/node_modules/**'],
          ...DEADLINES,
          // Every core: the default leaves one out, which on two cores is half.
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        test: {
          name: 'edge',
          include: ['edge/**/*.test.ts'],
          // Starting workerd once for all files: they share no state.
          isolate: false,
          ...DEADLINES,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'network',
          include: WHOLE_NETWORKS,
          ...DEADLINES,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
