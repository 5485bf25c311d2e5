/**
 * What the library rejects with: an error with a stable `code`. Codes of the API are the API's own
 * (`shared/wire/problem.ts`); those below are found out on this side of the wire. A program decides by `code`, a person
 * reads `message`. Aborts reject with the signal's own reason.
 */
import { isProblemCode, type ProblemCode, parseProblem } from '#shared/wire/problem.ts';

export type ClientCode =
  | 'unreachable' /** no answer came, after as many tries as were safe */
  | 'bad-answer' /** what answered does not speak this API */
  | 'unknown-problem' /** a refusal with a code that this version does not know; go by `status` */
  | 'wrong-bytes' /** what came is not what the CID names */
  | 'no-keys' /** a private file needs keys, and the client was made without */
  | 'wrong-key' /** none of the given keys opens this file */
  | 'wrong-signer' /** the file's record is signed by somebody else than was expected, or by nobody */
  | 'bad-signature' /** the file's record was changed by somebody who has not its account key */
  | 'bad-record' /** the file's record, listing or metadata is malformed */
  | 'not-a-tree' /** this file is no directory */
  | 'unsafe-path' /** a directory's listing names a path that leads out of it */
  | 'too-many-recipients';

export interface ClientErrorOptions {
  /** HTTP status, when the edge answered. */
  readonly status?: number;
  /** Members of the problem beside the standard ones. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ProblemCode | ClientCode;
  readonly status: number | undefined;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(code: ProblemCode | ClientCode, message: string, options: ClientErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status;
    this.extra = options.extra ?? {};
  }
}

export const isClientError = (error: unknown, code?: ProblemCode | ClientCode): error is ClientError =>
  error instanceof ClientError && (code === undefined || error.code === code);

/** The error that an answer which is not 2xx stands for. */
export async function errorOf(response: Response): Promise<ClientError> {
  const { status } = response;
  const bytes = new Uint8Array(await response.arrayBuffer().catch(() => new ArrayBuffer(0)));
  const problem = parseProblem(bytes);
  if (!problem) return new ClientError('bad-answer', `the edge answered ${status} without a reason`, { status });
  const { code, detail } = problem;
  const message = detail ?? code;
  const extra = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  if (!isProblemCode(code)) return new ClientError('unknown-problem', `${code}: ${message}`, { status, extra });
  return new ClientError(code, message, { status, extra });
}
