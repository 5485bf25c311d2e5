/**
 * Makes an account in the index: an owner, a quota, and a first API key, which is printed this once. For the tenant,
 * with the tenant's token:
 *   FILETAO_INDEX_URL=… FILETAO_INDEX_TOKEN_FILE=… node infra/operate/new-account.ts [--label TEXT] [--quota-bytes N]
 *     [--owner HEX64 | --account HEX64]
 * With --owner it makes another key for an existing account; with --account the owner is that of an account's public
 * key, which may then log in by itself (`POST /v1/login`).
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { ownerIdOf } from '#shared/account/account.ts';
import { createIndex } from '#shared/index/redis-index.ts';
import { newApiKey } from '#shared/primitives/api-key.ts';
import { fromHex } from '#shared/primitives/bytes.ts';
import { systemClock, systemRandom } from '#shared/primitives/effects.ts';
import { newOwnerId, type OwnerId, parseOwnerId } from '#shared/primitives/ids.ts';
import { OperatorError, readSecretFile, runCommand } from './secret-file.ts';

function ownerOf(values: { readonly owner?: string | undefined; readonly account?: string | undefined }): OwnerId {
  if (values.owner !== undefined && values.account !== undefined) {
    throw new OperatorError('give --owner or --account, not both: an account’s key is its owner');
  }
  const account = values.account === undefined ? undefined : fromHex(values.account, 32);
  if (values.account !== undefined && !account) throw new OperatorError('--account must be 32 bytes of hex');
  if (account) return ownerIdOf(account);
  const owner = values.owner === undefined ? newOwnerId(systemRandom) : parseOwnerId(values.owner);
  if (!owner) throw new OperatorError('--owner must be 32 bytes of hex');
  return owner;
}

function settings() {
  const { values } = parseArgs({
    options: {
      label: { type: 'string' },
      'quota-bytes': { type: 'string' },
      owner: { type: 'string' },
      account: { type: 'string' },
    },
  });
  const { FILETAO_INDEX_URL: url, FILETAO_INDEX_TOKEN_FILE: file } = process.env;
  if (!url || !URL.canParse(url)) throw new OperatorError('FILETAO_INDEX_URL must be the URL of the index');
  const token = file ? readSecretFile(file) : undefined;
  if (!token) throw new OperatorError('FILETAO_INDEX_TOKEN_FILE must name a file with the tenant’s token');
  const owner = ownerOf(values);
  const quota = values['quota-bytes'];
  const quotaBytes = quota === undefined ? undefined : Number(quota);
  if (quotaBytes !== undefined && !(/^\d+$/.test(quota ?? '') && Number.isSafeInteger(quotaBytes))) {
    throw new OperatorError('--quota-bytes must be a whole number');
  }
  return { url, token, owner, quotaBytes, label: values.label ?? 'first' };
}

await runCommand('new-account', async () => {
  const { url, token, owner, quotaBytes, label } = settings();
  const { access } = createIndex({ url, token, clock: systemClock });
  if (quotaBytes !== undefined) await access.setQuota(owner, quotaBytes);
  const { keyId, text, hash } = newApiKey(systemRandom);
  await access.addKey({ keyId, owner, label, createdAtMs: systemClock.nowMs() }, hash);
  return [`owner   ${owner}`, `key id  ${keyId}`, `API key ${text}`];
});
