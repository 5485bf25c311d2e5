/**
 * `npm run containers`: builds every image from a Debian base made on the spot, starts a whole network from the images
 * and stores, proves and retrieves a file with it, asks each image's own health check, and ends every program by SIGTERM.
 * Needs root and Debian's `buildah` and `debootstrap` (installed when missing); where they cannot be had it says SKIPPED
 * in one line and ends well. Everything is made in a folder that is thrown away.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { LocalNetwork } from '../local-network/local-network.ts';
import { freePort } from '../local-network/ports.ts';
import { checkNetwork } from '../local-network/self-check.ts';
import { Buildah, CannotBuild, needTools } from './buildah.ts';
import { ImageLauncher, type ImageName, type MountedImage } from './image-launch.ts';
import { proveShards } from './prove-shards.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const BASE = 'localhost/filetao-base:bookworm';
const IMAGES: readonly (readonly [ImageName, string])[] = [
  ['miner', 'miner/Dockerfile'],
  ['validator', 'validator/Dockerfile'],
  ['gateway', 'infra/gateway/Dockerfile'],
  ['edge', 'edge/Dockerfile'],
];
/** Enough for real coding, (2, 5), and few enough for a small machine. */
const MINERS = 5;

const startedMs = performance.now();
const say = (line: string) =>
  process.stdout.write(`containers ${((performance.now() - startedMs) / 1000).toFixed(0).padStart(4)} s  ${line}\n`);
const verbose = process.env.FILETAO_CONTAINERS_VERBOSE === '1';

async function buildAll(buildah: Buildah): Promise<ReadonlyMap<ImageName, MountedImage>> {
  await buildah.makeBase(BASE);
  say('base image made');
  const images = new Map<ImageName, MountedImage>();
  for (const [name, dockerfile] of IMAGES) {
    const tag = `localhost/filetao-${name}`;
    const build = { dockerfile: join(PROJECT, dockerfile), context: PROJECT, tag, base: BASE };
    await buildah.build(build, (line) => verbose && say(line));
    const { bytes, ...config } = await buildah.inspect(tag);
    say(`${name} built: ${(bytes / 1e6).toFixed(0)} MB with its base, user ${config.user}`);
    if (!/^[1-9]\d*:[1-9]\d*$/.test(config.user)) throw new Error(`${name} would run as ${config.user || 'root'}`);
    images.set(name, { ...config, root: await buildah.mount(tag) });
  }
  return images;
}

async function tryOut(launcher: ImageLauncher, stateDir: string): Promise<void> {
  mkdirSync(stateDir, { mode: 0o700 });
  launcher.open();
  const network = await LocalNetwork.start({
    stateDir,
    edgePort: await freePort(0),
    miners: MINERS,
    say,
    launch: (spec) => launcher.launch(spec),
  });
  try {
    say(`up from images: ${launcher.programs.join(', ')}`);
    const { cid, bytes, storeMs, fetchMs } = await checkNetwork(
      network.edgeUrl,
      network.apiKey,
      network.secrets.sampleSeed,
    );
    say(`stored ${bytes} bytes in ${storeMs.toFixed(0)} ms, retrieved them in ${fetchMs.toFixed(0)} ms`);
    say(`${await proveShards(network, cid)} shards proven`);
    for (const program of launcher.programs) await launcher.checkHealth(program);
    say('every health check passes');
    const runs = [
      ...network.miners.map(({ run }) => run),
      ...network.tenancies.flatMap(({ edge, tenant, index }) => [edge, tenant, index]),
    ];
    for (const run of runs) {
      const { name, ended } = run.child;
      await run.down();
      const how = await ended;
      if (how !== 'exit code 0') throw new Error(`${name} was told to end by SIGTERM: ${how}`);
    }
    say('every program ends by itself at SIGTERM');
  } finally {
    await network.stop();
  }
}

const folder = mkdtempSync(join(tmpdir(), 'filetao-containers-'));
let buildah: Buildah | undefined;
let launcher: ImageLauncher | undefined;
try {
  await needTools(say);
  buildah = await Buildah.open(folder);
  launcher = new ImageLauncher(await buildAll(buildah), join(folder, 'state'));
  await tryOut(launcher, join(folder, 'state'));
  say('ok');
} catch (error) {
  if (error instanceof CannotBuild) say(`SKIPPED: ${error.message}`);
  else {
    process.stderr.write(`containers: ${error instanceof Error ? error.stack : error}\n`);
    process.exitCode = 1;
  }
} finally {
  launcher?.close();
  await buildah?.close();
  rmSync(folder, { recursive: true, force: true });
}
