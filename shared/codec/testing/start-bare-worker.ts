/**
 * Starts one Worker under workerd with a configuration of its own, not the edge's that lies in the project's root: for
 * the kernel's test in workerd and for `bench/codec.ts`. All it writes lies in a temporary folder that `stop` removes.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unstable_startWorker } from 'wrangler';

/** The newest date that the workerd in the lockfile takes. */
const COMPATIBILITY_DATE = '2026-10-23';

export interface BareWorker {
  readonly url: URL;
  stop(): Promise<void>;
}

export async function startBareWorker(entry: URL): Promise<BareWorker> {
  // Neither usage reports nor a look-up of this machine's place: it runs without a network.
  process.env.WRANGLER_SEND_METRICS = 'false';
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false';
  const folder = mkdtempSync(join(tmpdir(), 'filetao-worker-'));
  const config = join(folder, 'wrangler.json');
  const settings = {
    name: 'bare-worker',
    main: fileURLToPath(entry),
    compatibility_date: COMPATIBILITY_DATE,
    compatibility_flags: ['nodejs_compat'],
  };
  writeFileSync(config, JSON.stringify(settings));
  try {
    const worker = await unstable_startWorker({
      config,
      dev: {
        server: { hostname: '127.0.0.1', port: 0 },
        inspector: false,
        persist: false,
        watch: false,
        logLevel: 'error',
      },
    });
    const stop = async () => {
      await worker.dispose();
      rmSync(folder, { recursive: true, force: true });
    };
    return { url: await worker.url, stop };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}
