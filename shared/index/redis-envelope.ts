/**
 * Envelopes of private files: a key of their own, so that files without one cost nothing. Replaced under the file's
 * lease, like every change of a file, so that two machines that share one file with two people lose neither.
 */
import { equalBytes, fromBase64, toBase64 } from '#shared/primitives/bytes.ts';
import type { FileNumber } from '#shared/primitives/ids.ts';
import { keys } from './keys.ts';
import { checkInTime, withLease } from './lease.ts';
import type { FileRecord } from './ports.ts';
import { lookUnderLease, releaseFile } from './redis-change-file.ts';
import { nonsense } from './redis-connection.ts';
import { type IndexContext, isLive } from './redis-context.ts';

/** At most 22 KB each: a question stays below 1 MB, the least that hosted Redis takes. */
const ENVELOPES_PER_READ = 32;

export type WrittenEnvelope = { readonly written: boolean; readonly current: Uint8Array };

interface Done {
  readonly outcome?: WrittenEnvelope;
  readonly moved?: FileNumber;
}

export async function writeEnvelope(
  context: IndexContext,
  { number }: Pick<FileRecord, 'number'>,
  revision: number,
  envelope: Uint8Array,
  revisionOf: (envelope: Uint8Array) => number,
): Promise<WrittenEnvelope | undefined> {
  const done = await withLease(context.clock, async (lease): Promise<Done | undefined> => {
    const { held, live, moved } = await lookUnderLease(context, number);
    if (!held) return undefined;
    const [current] = live && isLive(live.file, context.clock.nowMs()) ? await readEnvelopes(context, [number]) : [];
    const gone = !live || !isLive(live.file, context.clock.nowMs());
    if (gone || (current && revisionOf(current) >= revision)) {
      await releaseFile(context, number, lease);
      if (moved !== undefined) return { moved };
      return gone || !current ? {} : { outcome: { written: equalBytes(current, envelope), current } };
    }
    checkInTime(context.clock, lease);
    const replies = await context.connection.multi((c) => {
      c.set(keys.envelope(number), toBase64(envelope));
      c.del(keys.fileLease(number));
    });
    replies.skip(2);
    return { outcome: { written: true, current: envelope } };
  });
  // Re-coded since the caller read it: it is the same file under another number.
  if (done.moved === undefined) return done.outcome;
  return writeEnvelope(context, { number: done.moved }, revision, envelope, revisionOf);
}

export async function readEnvelopes(
  context: IndexContext,
  files: readonly FileNumber[],
): Promise<(Uint8Array | undefined)[]> {
  const found: (Uint8Array | undefined)[] = [];
  for (let from = 0; from < files.length; from += ENVELOPES_PER_READ) {
    const page = files.slice(from, from + ENVELOPES_PER_READ);
    const replies = await context.connection.read((c) => c.mget(...page.map((file) => keys.envelope(file))));
    for (const text of replies.textsOrNulls(page.length)) {
      found.push(text == null ? undefined : (fromBase64(text) ?? nonsense('an envelope')));
    }
  }
  return found;
}
