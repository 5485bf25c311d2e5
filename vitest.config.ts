import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { LastLineReporter } from './infra/checks/last-line-reporter.ts';

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
          exclude: ['test/network/**', '**/node_modules/**'],
          testTimeout: 20_000,
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        test: {
          name: 'edge',
          include: ['edge/**/*.test.ts'],
          // Starting workerd once for all files: they share no state.
          isolate: false,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'network',
          include: ['test/network/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 90_000,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
