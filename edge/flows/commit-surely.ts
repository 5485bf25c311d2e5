/** Commits a file whose answer may get lost on the way: a commit is safe to repeat. Used by both ways of storing. */
import type { EdgePorts } from '#edge/ports.ts';
import { type CommitOutcome, IndexUnavailable } from '#shared/index/ports.ts';

const COMMIT_ATTEMPTS = 3;
const COMMIT_PAUSE_MS = 200;

/** Rejects with `IndexUnavailable` when the index stays away. */
export async function commitSurely(
  { clock }: Pick<EdgePorts, 'clock'>,
  commit: () => Promise<CommitOutcome>,
): Promise<CommitOutcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await commit();
    } catch (error) {
      if (attempt === COMMIT_ATTEMPTS || !(error instanceof IndexUnavailable)) throw error;
      await clock.sleep(COMMIT_PAUSE_MS * attempt);
    }
  }
}
