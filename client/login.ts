/** An API key with the account's key alone: what a new machine starts with (`shared/account/account-login.ts`). */
import { signLogin } from '#shared/account/account-login.ts';
import { LoginAnswer } from '#shared/api/schemas.ts';
import { toHex } from '#shared/primitives/bytes.ts';
import { type Connection, callJson } from './api-call.ts';
import { type Keyring, ownerOf } from './keys/keyring.ts';

const NONCE_BYTES = 16;

/** @throws ClientError `forbidden` when this edge does not know the owner */
export async function loginWithAccount(
  connection: Connection,
  keys: Pick<Keyring, 'accountSeed'>,
  label: string,
  signal?: AbortSignal,
): Promise<LoginAnswer> {
  const { account } = ownerOf(keys);
  const nonce = connection.random(NONCE_BYTES);
  const timeMs = connection.clock.nowMs();
  const { host } = new URL(connection.url);
  const signature = signLogin(keys.accountSeed, { account, nonce, timeMs, host, label });
  const json = { account: toHex(account), nonce: toHex(nonce), timeMs, label, signature: toHex(signature) };
  return callJson({ ...connection, apiKey: undefined }, { method: 'POST', path: 'login', json, signal }, LoginAnswer);
}
