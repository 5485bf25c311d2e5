/**
 * Starts the programs of a local network from their images in place of this folder: `chroot` into the image's files, with
 * the user, the environment and the command line that the image names, and the network's state folder at its own path
 * inside. So what runs is what an operator gets. Called by `main.ts`.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { promisify } from 'node:util';
import type { ChildSpec } from '../local-network/child.ts';
import type { ImageConfig } from './buildah.ts';

export type ImageName = 'miner' | 'validator' | 'gateway' | 'edge';

export interface MountedImage extends ImageConfig {
  /** Where its files are. */
  readonly root: string;
}

/** As in `edge/Dockerfile`; two networks on one machine cannot both have it. */
const EDGE_PORT = '8787';
const HEALTH_MS = 10_000;

interface Launched {
  readonly image: MountedImage;
  readonly env: Readonly<Record<string, string>>;
  readonly port: string;
}

export class ImageLauncher {
  readonly #images: ReadonlyMap<ImageName, MountedImage>;
  readonly #stateDir: string;
  readonly #launched = new Map<string, Launched>();
  readonly #bound: string[] = [];

  constructor(images: ReadonlyMap<ImageName, MountedImage>, stateDir: string) {
    this.#images = images;
    this.#stateDir = stateDir;
  }

  /** Shows the state folder inside every image. */
  open(): void {
    for (const { root } of this.#images.values()) {
      const inside = `${root}${this.#stateDir}`;
      mkdirSync(inside, { recursive: true });
      execFileSync('mount', ['--bind', this.#stateDir, inside]);
      this.#bound.push(inside);
    }
  }

  close(): void {
    for (const inside of this.#bound.splice(0)) execFileSync('umount', [inside]);
  }

  /** What has no image of its own (the chain) starts as it always does. */
  launch<Ready>(spec: ChildSpec<Ready>): ChildSpec<Ready> {
    const name = imageOf(spec);
    const image = name && this.#images.get(name);
    if (!image) return spec;
    const { user } = image;
    // Whoever writes the state folder here is root; the program must own its part of it.
    execFileSync('chown', ['-R', user, this.#stateDir]);
    const fromImage = Object.fromEntries(image.environment.map((line) => splitAt(line, '=')));
    const option = (flag: string) => spec.args[spec.args.indexOf(flag) + 1] ?? '';
    const port = name === 'edge' ? option('--port') : EDGE_PORT;
    const settings = name === 'edge' ? readEnvFile(option('--env-file')) : spec.env;
    const env = { ...fromImage, ...settings };
    this.#launched.set(spec.name, { image, env, port });
    const told = name === 'edge' ? [`--socket-addr=http=127.0.0.1:${port}`, '--control-fd=1'] : [];
    return {
      ...spec,
      env,
      cwd: '/',
      command: ['chroot', `--userspec=${user}`, image.root, ...image.entrypoint, ...told],
      ready: (message) => spec.ready(name === 'edge' ? asWrangler(message) : message),
    };
  }

  /** Names of the programs that run from images. */
  get programs(): readonly string[] {
    return [...this.#launched.keys()];
  }

  /** Runs the image's own health check; rejects when it fails. */
  async checkHealth(program: string): Promise<void> {
    const launched = this.#launched.get(program);
    if (!launched) throw new Error(`${program} does not run from an image`);
    const { image, env, port } = launched;
    if (image.health.length === 0) throw new Error(`the image of ${program} has no health check`);
    const command = image.health.map((part) => part.replaceAll(EDGE_PORT, port));
    const args = [`--userspec=${image.user}`, image.root, ...command];
    await promisify(execFile)('chroot', args, { env: { PATH: process.env.PATH, ...env }, timeout: HEALTH_MS });
  }
}

function imageOf({ args: [script = ''] }: ChildSpec<unknown>): ImageName | undefined {
  if (script === 'miner/main.ts') return 'miner';
  if (script === 'validator/main.ts') return 'validator';
  if (script === 'infra/gateway/main.ts') return 'gateway';
  return script.includes('/wrangler/') ? 'edge' : undefined;
}

/** workerd tells where it listens in its own words. */
function asWrangler(message: unknown): unknown {
  const { event, port } = (message ?? {}) as { readonly event?: unknown; readonly port?: unknown };
  return event === 'listen' ? { event: 'DEV_SERVER_READY', ip: '127.0.0.1', port } : message;
}

function splitAt(line: string, mark: string): [string, string] {
  const at = line.indexOf(mark);
  return [line.slice(0, at), line.slice(at + 1)];
}

/** NAME="value" a line, as `tenancy.ts` writes it. */
const readEnvFile = (file: string): Record<string, string> =>
  Object.fromEntries(
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => splitAt(line, '='))
      .map(([name, value]) => [name, value.replace(/^"|"$/g, '')]),
  );
