import { expect, it } from 'vitest';
import { createMinerMetrics } from './metrics.ts';

it('shows room, shards, requests and their problems', async () => {
  const store = { shards: 3, storedBytes: 30, freeBytes: 60, capacityBytes: 90 };
  const metrics = createMinerMetrics(store);
  metrics.watch('challenge', undefined, 4);
  metrics.watch('challenge', 'busy', 1);
  metrics.watch(undefined, 'unauthorized', 0);
  store.shards = 5;
  const lines = (await metrics.text()).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'filetao_miner_shards 5',
      'filetao_miner_stored_bytes 30',
      'filetao_miner_free_bytes 60',
      'filetao_miner_capacity_bytes 90',
      'filetao_miner_requests_total{route="challenge",problem="none"} 1',
      'filetao_miner_requests_total{route="challenge",problem="busy"} 1',
      'filetao_miner_requests_total{route="none",problem="unauthorized"} 1',
      'filetao_miner_request_seconds_count{route="challenge"} 2',
    ]),
  );
});
