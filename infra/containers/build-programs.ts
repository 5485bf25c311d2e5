/**
 * `node infra/containers/build-programs.ts OUT`: what goes into the images, one folder each. A program is one bundled
 * file beside the files that it opens by `new URL('./…', import.meta.url)`; the edge is wrangler's own build for
 * production with a configuration for workerd. Called by the Dockerfiles (in their first stage), so an image holds no
 * sources, no node_modules and no package manager.
 */
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { SETTING_NAMES } from '#edge/settings.ts';
import { buildEdge } from '../checks/edge-build.ts';
import { workerdConfig, workerdEntry } from './workerd-config.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** Scripts of each image, by the name they have in it. */
const IMAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  miner: { main: 'miner/main.ts' },
  validator: { main: 'validator/main.ts' },
  gateway: {
    main: 'infra/gateway/main.ts',
    'new-account': 'infra/operate/new-account.ts',
    'new-edge-key': 'infra/operate/new-edge-key.ts',
    'new-mask-secret': 'infra/operate/new-mask-secret.ts',
  },
};
const HEALTH = 'infra/containers/health.ts';

/** Bundles are modules, whatever their names end in. */
const MODULES = '{"type":"module"}\n';
/** For libraries that are CommonJS inside a bundle of modules. */
const REQUIRE =
  "import{createRequire as filetaoRequire}from'node:module';const require=filetaoRequire(import.meta.url);";
/** How our code opens what lies beside it. */
const BESIDE = /new URL\(\s*'([^']+)',\s*import\.meta\.url\s*\)/g;

/** Files of one image's folder by name, and the source that each came from. */
type Placed = Map<string, string>;

/** Bundles `source` to `folder/name`, then whatever it opens beside itself. */
async function bundle(source: string, folder: string, name: string, placed: Placed): Promise<void> {
  claim(placed, name, source);
  const { metafile } = await build({
    entryPoints: [join(PROJECT, source)],
    outfile: join(folder, name),
    absWorkingDir: PROJECT,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    keepNames: true,
    legalComments: 'eof',
    logLevel: 'error',
    banner: { js: REQUIRE },
    metafile: true,
  });
  const own = Object.keys(metafile.inputs).filter((path) => !path.includes('node_modules'));
  for (const path of own) {
    const text = await readFile(join(PROJECT, path), 'utf8');
    // The generators of our WebAssembly name their own output, and run only when they are started themselves.
    if (basename(path).startsWith('build-')) continue;
    for (const [, beside = ''] of text.matchAll(BESIDE))
      await place(join(dirname(path), beside), beside, folder, placed);
  }
}

async function place(source: string, beside: string, folder: string, placed: Placed): Promise<void> {
  if (beside !== `./${basename(source)}`)
    throw new Error(`${source} is opened as ${beside}: it must lie beside its user`);
  const name = basename(source);
  if (placed.get(name) === source) return;
  // A bundle is valid TypeScript too, so a script keeps the name that it is opened by.
  if (extname(source) === '.ts') return await bundle(source, folder, name, placed);
  claim(placed, name, source);
  await copyFile(join(PROJECT, source), join(folder, name));
}

function claim(placed: Placed, name: string, source: string): void {
  if (placed.has(name)) throw new Error(`${placed.get(name)} and ${source} would both be ${name}`);
  placed.set(name, source);
}

async function edge(folder: string): Promise<void> {
  const { modules, compatibility } = await buildEdge();
  for (const { path, contents } of modules) await writeFile(join(folder, path), contents);
  await writeFile(join(folder, 'entry.js'), workerdEntry(SETTING_NAMES));
  await writeFile(join(folder, 'workerd.capnp'), workerdConfig(modules, compatibility, SETTING_NAMES));
  // The one that wrangler brings along: the tests ran in it.
  const { default: workerd } = createRequire(import.meta.url)('workerd') as { readonly default: string };
  await copyFile(workerd, join(folder, 'workerd'));
  await chmod(join(folder, 'workerd'), 0o755);
}

const [target] = process.argv.slice(2);
if (!target) throw new Error('say where to: node infra/containers/build-programs.ts OUT');
for (const [image, scripts] of Object.entries(IMAGES)) {
  const folder = resolve(target, image);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), MODULES);
  const placed: Placed = new Map();
  for (const [name, source] of Object.entries({ ...scripts, health: HEALTH })) {
    await bundle(source, folder, `${name}.js`, placed);
  }
}
const edgeFolder = resolve(target, 'edge');
await mkdir(edgeFolder, { recursive: true });
await edge(edgeFolder);
