/** The index adapters pass the suite over the gateway, with the embedded engine and with a real Redis behind it. */
import { describe, it } from 'vitest';
import { describeIndex } from '#shared/testing/index-suite.ts';
import { openIndex } from './testing/open-index.ts';
import { findRedisServer } from './testing/redis-for-tests.ts';

describeIndex('the index over the embedded engine', () => openIndex());

const redis = findRedisServer();
if (redis) describeIndex('the index over redis-server', () => openIndex({ redis }));
else
  describe('the index over redis-server', () => it.skip('SKIPPED: no redis-server on PATH or in FILETAO_REDIS_SERVER'));
