/**
 * What ends a command: one line for a person, a stable code and an exit code for a script. Thrown by the commands,
 * caught once in `run-command-line.ts`; everything below them returns failures as values.
 */
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';

export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly code: string;
  readonly exit: ExitCode;
  /** What to do about it, where more than the message can be said. */
  readonly hint: string | undefined;

  constructor(code: string, message: string, exit: ExitCode = EXIT.failed, hint?: string) {
    super(message);
    this.code = code;
    this.exit = exit;
    this.hint = hint;
  }
}

export const usageError = (message: string, hint?: string): CommandFailed =>
  new CommandFailed('usage', message, EXIT.usage, hint);

interface AnyFailure {
  readonly code: string;
  readonly message: string;
}

/** A failure of the code below, as the end of the command. */
export const failureOf = ({ code, message }: AnyFailure): CommandFailed =>
  new CommandFailed(code, message, exitCodeOf(code));

/** The value, or the end of the command. */
export function orFail<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: AnyFailure },
): T {
  if (result.ok) return result.value;
  throw failureOf(result.failure);
}

/** What to do about codes that a person can mend. */
const HINTS: Readonly<Record<string, string>> = {
  unauthorized: 'filetao login     keeps another API key',
  unreachable: 'filetao doctor    tells what is wrong',
  'over-quota': 'filetao ls, filetao rm     make room',
  'wrong-key': 'was it stored with another wallet, identity or passphrase? --wallet.name, --identity, --passphrase',
  'wrong-signer':
    'was it shared with you? --from OWNER (they see theirs with: filetao identity show), or --from anyone',
  'no-keys': 'filetao recover   makes the keys of your phrase; --passphrase, --identity bring others',
};

/** Anything that was thrown, as the end of a command: failures of the library keep their code and status. */
export function asFailed(error: unknown): CommandFailed {
  if (error instanceof CommandFailed) return error;
  if (!(error instanceof Error)) return new CommandFailed('internal', String(error));
  const { code, status } = error as { readonly code?: unknown; readonly status?: unknown };
  if (error.name === 'ClientError' && typeof code === 'string') {
    const exit = exitCodeOf(code, typeof status === 'number' ? status : undefined);
    return new CommandFailed(code, error.message, exit, HINTS[code]);
  }
  // Of the operating system: a disk that is full, a folder that may not be written.
  if (typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)) {
    return new CommandFailed(code.toLowerCase(), error.message, code === 'ENOENT' ? EXIT.notFound : EXIT.failed);
  }
  return new CommandFailed('internal', `${error.name}: ${error.message}`);
}
