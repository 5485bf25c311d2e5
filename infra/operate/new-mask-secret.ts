/**
 * Makes a mask secret: `node infra/operate/new-mask-secret.ts FILE` writes epoch 0 to a new FILE, or adds the next epoch
 * to the secrets that an existing one holds. FILE is the value of MASK_SECRETS, and the backup of it: without a
 * secret, the files of its epoch are lost.
 */
import process from 'node:process';
import { toHex } from '#shared/primitives/bytes.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { OperatorError, readSecretFile, replaceSecretFile, runCommand, writeNewSecretFile } from './secret-file.ts';

const SECRET_BYTES = 32;
const MAX_EPOCH = 0xffff;

await runCommand('new-mask-secret', async () => {
  const [path] = process.argv.slice(2);
  if (!path) throw new OperatorError('name the file for the secrets');
  const kept = readSecretFile(path);
  const items = kept === undefined ? [] : kept.split(',');
  const epochs = items.map((item) => {
    const epoch = /^(\d{1,5}):[0-9a-f]{64}$/.exec(item)?.[1];
    if (epoch === undefined) throw new OperatorError(`${path} does not hold EPOCH:HEX64[,EPOCH:HEX64…]`);
    return Number(epoch);
  });
  const epoch = Math.max(-1, ...epochs) + 1;
  if (epoch > MAX_EPOCH) throw new OperatorError('there are no epochs left');
  const text = [...items, `${epoch}:${toHex(systemRandom(SECRET_BYTES))}`].join(',');
  if (kept === undefined) writeNewSecretFile(path, text);
  else replaceSecretFile(path, text);
  return [
    `epoch ${epoch} in ${path}: npx wrangler secret put MASK_SECRETS --env production < ${path}`,
    'Back this file up now, away from this machine: without a secret, the files of its epoch are lost.',
  ];
});
