/**
 * Makes an edge's hotkey: `node infra/operate/new-edge-key.ts FILE` writes its seed to FILE, which must not exist yet,
 * and prints the hotkey, which the tenant's validator lists under `edges`.
 */
import process from 'node:process';
import { toHex } from '#shared/primitives/bytes.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { signerFromSeed } from '#shared/wire/sr25519-scure.ts';
import { OperatorError, runCommand, writeNewSecretFile } from './secret-file.ts';

const SEED_BYTES = 32;

await runCommand('new-edge-key', async () => {
  const [path] = process.argv.slice(2);
  if (!path) throw new OperatorError('name the file for the seed');
  const seed = systemRandom(SEED_BYTES);
  const { hotkey } = signerFromSeed(seed);
  writeNewSecretFile(path, toHex(seed));
  return [`hotkey ${hotkey}`, `seed in ${path}: npx wrangler secret put EDGE_HOTKEY_SEED --env production < ${path}`];
});
