/**
 * `buildah` as this project uses it: no daemon, no network of its own, everything it makes in one folder that is thrown
 * away. Base images come from Debian's own `debootstrap`, so that no image registry is asked. Called by `main.ts`.
 */
import { execFile, spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';

const exec = promisify(execFile);
const SUITE = 'bookworm';
const MAX_OUTPUT_BYTES = 16 * 2 ** 20;
/** Longest a single step may take: the largest one (`npm ci`) needs about a minute on two cores. */
const STEP_MS = 10 * 60_000;
/** Read by builds when this machine has them: which registry, which certificates, and what was already downloaded. */
const HOST_NPM = ['cache', 'userconfig', 'globalconfig'] as const;
const IN_IMAGE = { cache: '/root/.npm', userconfig: '/root/.npmrc', globalconfig: '/etc/npmrc' } as const;
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** Why nothing could be tried here; not a fault of the images. */
export class CannotBuild extends Error {
  override readonly name = 'CannotBuild';
}

/** How an image says that its program is started. */
export interface ImageConfig {
  readonly user: string;
  readonly environment: readonly string[];
  readonly entrypoint: readonly string[];
  readonly health: readonly string[];
  readonly stopSignal: string;
  readonly volumes: readonly string[];
}

/** The programs that are needed, installed when they are missing and we may. */
export async function needTools(say: (line: string) => void): Promise<void> {
  const missing: string[] = [];
  for (const tool of ['buildah', 'debootstrap']) if (!(await has(tool))) missing.push(tool);
  if (process.getuid?.() !== 0) throw new CannotBuild('only root can build images here (chroot, debootstrap)');
  const mountable = await exec('unshare', ['--mount', 'mount', '--bind', '/tmp', '/tmp']).catch(lastLine);
  if (typeof mountable === 'string') throw new CannotBuild(`nothing can be mounted here: ${mountable}`);
  if (missing.length === 0) return;
  if (!(await has('apt-get'))) throw new CannotBuild(`${missing.join(' and ')} cannot be installed: this is no Debian`);
  say(`installing ${missing.join(' and ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await exec('apt-get', ['update', '-qq'], { env, timeout: STEP_MS });
    await exec('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { env, timeout: STEP_MS });
  } catch (error) {
    throw new CannotBuild(`${missing.join(' and ')} cannot be installed: ${lastLine(error)}`);
  }
}

const has = (tool: string): Promise<boolean> =>
  exec('sh', ['-c', `command -v ${tool}`]).then(
    () => true,
    () => false,
  );

export const lastLine = (error: unknown): string => {
  const { stderr, message } = error as { stderr?: string; message?: string };
  return (stderr || message || String(error)).trim().split('\n').at(-1) ?? '';
};

export class Buildah {
  readonly #folder: string;
  readonly #driver: string;

  private constructor(folder: string, driver: string) {
    this.#folder = folder;
    this.#driver = driver;
  }

  /** Overlays where the kernel gives them, else plain copies. */
  static async open(folder: string): Promise<Buildah> {
    const overlay = new Buildah(folder, 'overlay');
    const works = await overlay.#run(['from', 'scratch']).then(
      async (container) => overlay.#run(['mount', container]).then(() => overlay.#run(['rm', container])),
      () => undefined,
    );
    return works === undefined ? new Buildah(folder, 'vfs') : overlay;
  }

  /** A minimal Debian from the mirror that this system's debootstrap names. */
  async makeBase(tag: string): Promise<void> {
    const root = join(this.#folder, 'base');
    try {
      await exec('debootstrap', ['--variant=minbase', '--include=ca-certificates', SUITE, root], {
        timeout: STEP_MS,
        maxBuffer: MAX_OUTPUT_BYTES,
      });
    } catch (error) {
      throw new CannotBuild(`debootstrap: ${lastLine(error)}`);
    }
    const container = await this.#run(['from', 'scratch']);
    await this.#run(['add', '-q', container, root, '/']);
    await this.#run(['commit', '-q', '--rm', container, tag]);
  }

  /** Builds a Dockerfile of the project; its output goes to `say` line by line. */
  async build(
    { dockerfile, context, tag, base }: { dockerfile: string; context: string; tag: string; base: string },
    say: (line: string) => void,
  ): Promise<void> {
    const volumes = await this.#hostNpm();
    const args = ['bud', '--layers', '--format', 'docker', '--network=host', ...volumes];
    await this.#stream([...args, '--build-arg', `BASE=${base}`, '-t', tag, '-f', dockerfile, context], say);
  }

  async inspect(tag: string): Promise<ImageConfig & { readonly bytes: number }> {
    const { Docker } = JSON.parse(await this.#run(['inspect', '--type', 'image', tag]));
    const images = JSON.parse(await this.#run(['images', '--json']));
    const bytes = await this.#sizeOf(tag, images);
    const { User, Env, Entrypoint, Healthcheck, StopSignal, Volumes } = Docker.config;
    return {
      user: User,
      environment: Env,
      entrypoint: Entrypoint,
      health: (Healthcheck?.Test ?? []).slice(1),
      stopSignal: StopSignal ?? 'SIGTERM',
      volumes: Object.keys(Volumes ?? {}),
      bytes,
    };
  }

  async #sizeOf(tag: string, images: readonly { readonly names?: readonly string[]; readonly size: string }[]) {
    const text = images.find(({ names }) => names?.some((name) => name.startsWith(tag)))?.size ?? '0';
    const [, number, unit = ''] = /^([\d.]+) ?(\w*)$/.exec(text) ?? [];
    return Number(number) * ({ GB: 1e9, MB: 1e6, KB: 1e3 }[unit] ?? 1);
  }

  /** A container of the image, its files mounted; the path of its root. */
  async mount(tag: string): Promise<string> {
    return await this.#run(['mount', await this.#run(['from', tag])]);
  }

  /** Unmounts and forgets everything. */
  async close(): Promise<void> {
    await this.#run(['umount', '--all']).catch(() => undefined);
    await this.#run(['rm', '--all']).catch(() => undefined);
  }

  async #hostNpm(): Promise<readonly string[]> {
    const volumes: string[] = [];
    const share = async (path: string, inside: string, mode = '') => {
      const there = await access(path).then(
        () => true,
        () => false,
      );
      if (there) volumes.push('--volume', `${path}:${inside}${mode}`);
    };
    for (const name of HOST_NPM) {
      const { stdout } = await exec('npm', ['config', 'get', name]);
      await share(stdout.trim(), IN_IMAGE[name], name === 'cache' ? '' : ':ro');
    }
    await share(CERTIFICATES, CERTIFICATES, ':ro');
    return volumes;
  }

  get #options() {
    const env = { ...process.env, BUILDAH_ISOLATION: 'chroot' };
    const place = ['--root', join(this.#folder, 'images'), '--runroot', join(this.#folder, 'run')];
    return { env, args: [...place, '--storage-driver', this.#driver] };
  }

  async #run(args: readonly string[]): Promise<string> {
    const { env, args: options } = this.#options;
    const limits = { timeout: STEP_MS, maxBuffer: MAX_OUTPUT_BYTES };
    const { stdout } = await exec('buildah', [...options, ...args], { env, ...limits });
    return stdout.trim();
  }

  #stream(args: readonly string[], say: (line: string) => void): Promise<void> {
    const { env, args: options } = this.#options;
    const child = spawn('buildah', [...options, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: STEP_MS });
    const tail: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        for (const line of text.split('\n').filter((part) => part.trim() !== '')) {
          say(line);
          tail.push(line);
          if (tail.length > 20) tail.shift();
        }
      });
    }
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`buildah bud: ${tail.join('\n')}`))));
    });
  }
}
