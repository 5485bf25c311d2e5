/**
 * A container's health check, `node health.js http://127.0.0.1:8091/health`: exit code 0 when it answers 200 in time.
 * `${NAME}` in the URL is filled from the environment. Without a URL: `node health.js FILE SECONDS`, for a program that
 * touches a file while it works.
 */
import { stat } from 'node:fs/promises';
import process from 'node:process';

const TIMEOUT_MS = 4_000;

const [what = '', seconds] = process.argv.slice(2);
const target = what.replace(/\$\{(\w+)\}/g, (_, name: string) => process.env[name] ?? '');

const healthy = async (): Promise<boolean> => {
  if (seconds !== undefined) return Date.now() - (await stat(target)).mtimeMs < Number(seconds) * 1000;
  const { ok, body } = await fetch(target, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
  await body?.cancel();
  return ok;
};

process.exit(
  await healthy()
    .then((well) => (well ? 0 : 1))
    .catch(() => 1),
);
