/**
 * How the command ends, for scripts: one small table from stable codes to exit codes. Whatever is not listed is 1.
 * Printed by `filetao help exit-codes` and in `docs/commands.md`.
 */

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  unavailable: 5,
  wrongBytes: 6,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_MEANINGS: readonly (readonly [ExitCode, string])[] = [
  [EXIT.ok, 'done'],
  [EXIT.failed, 'failed for a reason that no other row names; standard error says which'],
  [EXIT.usage, 'the command line is wrong, or something needed was not given: nothing was done'],
  [EXIT.notFound, 'there is no such file, key, wallet or miner'],
  [EXIT.refused, 'refused: credentials, rights, quota, a password, a rule of the chain'],
  [EXIT.unavailable, 'the network, the edge, the chain or too many miners are away: try again later'],
  [EXIT.wrongBytes, 'something does not verify: wrong bytes, signature, key or audit'],
  [EXIT.interrupted, 'interrupted by Ctrl-C'],
];

/** By code, where it differs from what its status says. */
const BY_CODE: Readonly<Record<string, ExitCode>> = {
  // edge and library
  'wrong-cid': EXIT.wrongBytes,
  'digest-mismatch': EXIT.wrongBytes,
  'length-mismatch': EXIT.wrongBytes,
  corrupt: EXIT.wrongBytes,
  'wrong-bytes': EXIT.wrongBytes,
  'wrong-signer': EXIT.wrongBytes,
  'bad-signature': EXIT.wrongBytes,
  'bad-record': EXIT.wrongBytes,
  'unsafe-path': EXIT.wrongBytes,
  'wrong-key': EXIT.refused,
  'no-keys': EXIT.refused,
  'not-a-tree': EXIT.usage,
  'too-many-recipients': EXIT.usage,
  'bad-answer': EXIT.unavailable,
  conflict: EXIT.refused,
  // wallet files
  'wallet-missing': EXIT.notFound,
  'key-missing': EXIT.notFound,
  'readable-by-others': EXIT.refused,
  'password-needed': EXIT.refused,
  'wrong-password': EXIT.refused,
  'public-only': EXIT.refused,
  exists: EXIT.refused,
  'bad-phrase': EXIT.usage,
  'bad-name': EXIT.usage,
  // chain (and, of the library, an edge that does not answer)
  unreachable: EXIT.unavailable,
  'node-refused': EXIT.unavailable,
  'not-included': EXIT.unavailable,
  'subnet-unknown': EXIT.notFound,
  'not-registered': EXIT.refused,
  'already-registered': EXIT.refused,
  'registration-closed': EXIT.refused,
  'registrations-too-fast': EXIT.refused,
  'cost-changed': EXIT.refused,
  'not-owner': EXIT.refused,
  'balance-too-low': EXIT.refused,
  'runtime-changed': EXIT.failed,
};

const STATUS_UNAVAILABLE: ReadonlySet<number> = new Set([408, 425, 429]);

/** @param status of the HTTP answer, where there was one */
export function exitCodeOf(code: string, status?: number): ExitCode {
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (status === undefined) return EXIT.failed;
  if (status === 404 || status === 410) return EXIT.notFound;
  if (STATUS_UNAVAILABLE.has(status) || status >= 500) return EXIT.unavailable;
  return status >= 400 ? EXIT.refused : EXIT.failed;
}
