/**
 * How an account gets an API key with its own key alone: a signed request, good for one edge, one minute and one use.
 *
 *   "filetao/login/v1\0" ‖ account₃₂ ‖ nonce₁₆ ‖ u64 timeMs ‖ u16 hostBytes ‖ host ‖ u16 labelBytes ‖ label
 *
 * `host` is what the client called (host name and port as in its URL, lowercase): a signature that one edge was sent
 * opens nothing at another. Signed by the client, checked by the edge.
 */
import { ByteWriter, utf8 } from '#shared/primitives/bytes.ts';
import { signAsAccount, verifyAccount } from './account.ts';

/** How far a client's clock may be off, either way. */
export const LOGIN_WINDOW_MS = 60_000;

export interface Login {
  readonly account: Uint8Array;
  readonly nonce: Uint8Array;
  readonly timeMs: number;
  readonly host: string;
  readonly label: string;
}

function statementOf({ account, nonce, timeMs, host, label }: Login): Uint8Array {
  const [hostText, labelText] = [utf8(host), utf8(label)];
  return new ByteWriter()
    .tag('filetao/login/v1')
    .fixed(account, 32)
    .fixed(nonce, 16)
    .u64(timeMs)
    .u16(hostText.length)
    .bytes(hostText)
    .u16(labelText.length)
    .bytes(labelText)
    .finish();
}

/** @param seed of the account's key */
export const signLogin = (seed: Uint8Array, login: Login): Uint8Array => signAsAccount(seed, statementOf(login));

export const loginHolds = (login: Login, signature: Uint8Array): boolean =>
  verifyAccount(login.account, statementOf(login), signature);

export const isTimely = (timeMs: number, nowMs: number): boolean => Math.abs(nowMs - timeMs) <= LOGIN_WINDOW_MS;
