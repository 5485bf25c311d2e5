import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'node',
          include: ['{shared,miner,validator,infra,test,client}/**/*.test.ts'],
          testTimeout: 20_000,
        },
      },
    ],
  },
});
