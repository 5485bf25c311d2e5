/** Opens the index: its ports over one connection, for edge, validator and local network alike. */
import { type Clock, systemClock } from '#shared/primitives/effects.ts';
import { FileNumbers, type NumberBlock } from './file-numbers.ts';
import { createLeadership, type Leadership } from './leadership.ts';
import type { NetworkHistory } from './network-ports.ts';
import type { AccessIndex, FileIndex, MinerDirectory } from './ports.ts';
import { createRedisAccessIndex } from './redis-access-index.ts';
import { RedisConnection } from './redis-connection.ts';
import type { IndexContext } from './redis-context.ts';
import { createRedisFileIndex } from './redis-file-index.ts';
import { createRedisMinerDirectory } from './redis-miner-directory.ts';
import { createRedisNetworkHistory } from './redis-network-history.ts';
import { createRedisUploadIndex } from './redis-upload-index.ts';
import { StagedUploads } from './staged-uploads.ts';
import type { UploadIndex } from './upload-ports.ts';

export interface IndexSettings {
  /** Origin of an Upstash Redis or of our gateway, e.g. `http://127.0.0.1:7379`. */
  readonly url: string;
  readonly token: string;
  readonly clock?: Clock;
  /** For owners to whom none was set; without it they have no limit. */
  readonly defaultQuotaBytes?: number;
  /** For indexes that are opened one after the other and are to share file numbers. */
  readonly numbers?: NumberBlock;
}

export interface Index {
  readonly files: FileIndex;
  readonly uploads: UploadIndex;
  readonly miners: MinerDirectory;
  readonly access: AccessIndex;
  readonly history: NetworkHistory;
  readonly leadership: Leadership;
}

export function createIndex(settings: IndexSettings): Index {
  const connection = new RedisConnection(settings);
  const clock = settings.clock ?? systemClock;
  const context: IndexContext = {
    connection,
    clock,
    staged: new StagedUploads(),
    numbers: new FileNumbers(connection, clock, settings.numbers),
    defaultQuotaBytes: settings.defaultQuotaBytes ?? Number.MAX_SAFE_INTEGER,
  };
  return {
    files: createRedisFileIndex(context),
    uploads: createRedisUploadIndex(context),
    miners: createRedisMinerDirectory(connection),
    access: createRedisAccessIndex(connection),
    history: createRedisNetworkHistory(connection),
    leadership: createLeadership(connection),
  };
}
