/** The Worker as one ES module and its WebAssembly, as a deployment would upload it, for Miniflare. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

type Module =
  | { readonly type: 'ESModule'; readonly path: string; readonly contents: string }
  | { readonly type: 'CompiledWasm'; readonly path: string; readonly contents: Uint8Array };

export interface WorkerBundle {
  readonly modules: Module[];
}

const ENTRY = fileURLToPath(new URL('../../edge/worker.ts', import.meta.url));

/** @param entry the module whose default export is the Worker; the edge unless told otherwise */
export async function bundleWorker(entry = ENTRY): Promise<WorkerBundle> {
  const wasm = new Map<string, string>();
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    target: 'es2023',
    write: false,
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'import'],
    external: ['node:*', 'cloudflare:*'],
    plugins: [
      {
        name: 'compiled-wasm',
        setup(plugin) {
          plugin.onLoad({ filter: /\.wasm$/ }, async ({ path }) => {
            const name = `./${basename(path)}`;
            wasm.set(name, path);
            return { contents: `export { default } from ${JSON.stringify(name)};`, loader: 'js' };
          });
          plugin.onResolve({ filter: /^\.\/[^/]+\.wasm$/ }, ({ path, importer }) =>
            importer.endsWith('.wasm') ? { path, external: true } : undefined,
          );
        },
      },
    ],
  });
  const script = result.outputFiles[0]?.text;
  if (script === undefined) throw new Error('the Worker did not build');
  const compiled = await Promise.all(
    [...wasm].map(
      async ([path, file]): Promise<Module> => ({ type: 'CompiledWasm', path, contents: await readFile(file) }),
    ),
  );
  return { modules: [{ type: 'ESModule', path: 'worker.mjs', contents: script }, ...compiled] };
}
