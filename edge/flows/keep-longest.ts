/**
 * The owner sends bytes that it has: the later expiry is kept, and a name that came with them replaces the old one.
 * No second copy, no second count against the quota.
 */
import type { EdgePorts } from '#edge/ports.ts';
import type { FileChange, FileRecord } from '#shared/index/ports.ts';

/** The later of two expiries, where 0 is "until deleted" and so later than any. */
const laterExpiry = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : Math.max(a, b));

export async function keepLongest(
  ports: Pick<EdgePorts, 'files'>,
  had: FileRecord,
  wanted: { readonly expiresAtMs: number; readonly name?: string | undefined },
): Promise<FileRecord> {
  const expiresAtMs = laterExpiry(had.expiresAtMs, wanted.expiresAtMs);
  const change: FileChange = {
    ...(expiresAtMs === had.expiresAtMs ? {} : { expiresAtMs }),
    ...(wanted.name === undefined || wanted.name === had.name ? {} : { name: wanted.name }),
  };
  if (Object.keys(change).length === 0) return had;
  // Gone in this very moment: what was true when it was found is still an honest answer.
  return (await ports.files.changeFile(had, change)) ?? had;
}
