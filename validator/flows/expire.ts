/**
 * Ends what is over: files past their expiry become tombstones, uploads past their session lose their staged writes.
 * The shards of both are the work of `drop-deleted.ts` and `collect.ts`.
 */
import type { TenantPorts } from '#validator/ports.ts';

/** Records of one question to the index. */
const PAGE = 64;

type Ports = Pick<TenantPorts, 'files' | 'clock' | 'log'>;

export async function expireFiles(ports: Ports, signal: AbortSignal): Promise<number> {
  let expired = 0;
  for (;;) {
    signal.throwIfAborted();
    const due = await ports.files.expiredFiles(ports.clock.nowMs(), PAGE);
    const gone = await Promise.all(due.map((file) => ports.files.deleteFile(file, 'expired')));
    const count = gone.filter((deleted) => deleted).length;
    expired += count;
    // A page that changed nothing would come again: its files were deleted by somebody else, or got more time.
    if (due.length < PAGE || count === 0) break;
  }
  if (expired > 0) ports.log.info('files-expired', { files: expired });
  return expired;
}

export async function expireUploads(ports: Ports, signal: AbortSignal): Promise<number> {
  let abandoned = 0;
  for (;;) {
    signal.throwIfAborted();
    const due = await ports.files.expiredUploads(ports.clock.nowMs(), PAGE);
    await Promise.all(due.map((file) => ports.files.abandonUpload(file)));
    abandoned += due.length;
    if (due.length < PAGE) break;
  }
  if (abandoned > 0) ports.log.info('uploads-abandoned', { uploads: abandoned });
  return abandoned;
}
