/** The edge as a deployment would upload it: wrangler's own dry run for production, offline, into a temporary folder. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Metafile } from 'esbuild';
import { unstable_readConfig } from 'wrangler';
import { offlineWrangler } from '../offline-wrangler.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const DEADLINE_MS = 120_000;

export type WorkerModule =
  | { readonly type: 'ESModule'; readonly path: string; readonly contents: string }
  | { readonly type: 'CompiledWasm'; readonly path: string; readonly contents: Uint8Array };

export interface EdgeBuild {
  readonly bytes: number;
  /** Each module by itself, as wrangler counts them. */
  readonly gzipBytes: number;
  /** The script first. */
  readonly modules: readonly WorkerModule[];
  readonly metafile: Metafile;
  readonly compatibility: { readonly date: string; readonly flags: readonly string[] };
}

export async function buildEdge(): Promise<EdgeBuild> {
  const folder = await mkdtemp(join(tmpdir(), 'filetao-bundle-'));
  try {
    await dryRun(folder);
    const names = await readdir(folder);
    const script = await readFile(join(folder, 'worker.js'), 'utf8');
    const wasm = await Promise.all(
      names
        .filter((name) => name.endsWith('.wasm'))
        .map(async (path) => ({ type: 'CompiledWasm' as const, path, contents: await readFile(join(folder, path)) })),
    );
    const modules: WorkerModule[] = [{ type: 'ESModule', path: 'worker.js', contents: script }, ...wasm];
    const sizes = modules.map(({ contents }) => ({
      bytes: Buffer.byteLength(contents),
      gzipBytes: gzipSync(contents).length,
    }));
    const { compatibility_date: date = '', compatibility_flags: flags } = unstable_readConfig({
      config: join(PROJECT, 'wrangler.toml'),
      env: 'production',
    });
    return {
      compatibility: { date, flags },
      bytes: sizes.reduce((sum, { bytes }) => sum + bytes, 0),
      gzipBytes: sizes.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0),
      modules,
      metafile: JSON.parse(await readFile(join(folder, 'bundle-meta.json'), 'utf8')),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function dryRun(folder: string): Promise<void> {
  // Its launcher would start this script as one process more.
  const script = join(PROJECT, 'node_modules/wrangler/wrangler-dist/cli.js');
  const args = [script, 'deploy', '--env', 'production', '--dry-run', '--outdir', folder, '--metafile'];
  const env = { PATH: process.env.PATH, HOME: folder, ...offlineWrangler(folder) };
  await promisify(execFile)(process.execPath, args, { cwd: PROJECT, env, timeout: DEADLINE_MS });
}

/** Files by what they add to the script, largest first. */
export function largestInputs(metafile: Metafile, count: number): readonly { path: string; bytes: number }[] {
  const output = Object.entries(metafile.outputs).find(([path]) => path.endsWith('.js'))?.[1];
  return Object.entries(output?.inputs ?? {})
    .map(([path, { bytesInOutput }]) => ({ path: path.replace(/^.*node_modules\//, ''), bytes: bytesInOutput }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, count);
}
