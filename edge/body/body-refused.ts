/**
 * What can be wrong with the body of an upload, thrown from inside the reading so that whoever iterates stops at once;
 * the store flow turns it into its outcome. Not for other failures: those are values.
 */
import type { EdgeFailure } from '#edge/http/problem.ts';
import { refuse } from '#edge/http/problem.ts';
import type { ProblemCode } from '#shared/wire/problem.ts';

export class BodyRefused extends Error {
  override readonly name = 'BodyRefused';
  readonly failure: EdgeFailure;
  constructor(code: ProblemCode, message: string, extra?: Readonly<Record<string, unknown>>) {
    super(message);
    this.failure = refuse(code, message, extra).failure;
  }
}
