/** One segment's record on its way into the index: held until its chunk is full, which is then written in one command. */
import type { FileNumber } from '#shared/primitives/ids.ts';
import { keys } from './keys.ts';
import type { SegmentRecord } from './ports.ts';
import type { IndexContext } from './redis-context.ts';
import type { StagedUpload } from './staged-uploads.ts';

export async function stageSegment(
  context: IndexContext,
  file: FileNumber,
  upload: StagedUpload,
  segment: number,
  record: SegmentRecord,
): Promise<void> {
  upload.add(segment, record);
  const full = upload.fullChunk(segment);
  if (!full) return;
  upload.writtenChunks = Math.max(upload.writtenChunks, full.chunk + 1);
  const replies = await context.connection.multi((c) => {
    // A session's mark goes with the session: whoever else completes it may set it after the commit has taken it away.
    if (upload.shared) c.hset(keys.session(file), { x: upload.writtenChunks });
    else c.hset(keys.uploadChunks, { [file]: upload.writtenChunks });
    c.set(keys.chunk(file, full.chunk), full.text);
  });
  replies.skip(2);
  upload.markWritten(full.chunk);
}
