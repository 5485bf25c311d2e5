/** How a file's shards are proven, as the API names it. Used where records become answers. */
import type { FileRecord } from '#shared/index/ports.ts';
import type { FileAnswer } from './schemas.ts';

export const proofOf = ({ anchorType }: Pick<FileRecord, 'anchorType'>): FileAnswer['proof'] =>
  anchorType ? 'zk' : 'por';
