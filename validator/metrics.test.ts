import { afterEach, expect, it } from 'vitest';
import { hotkeyOf } from '#shared/primitives/ids.ts';
import { type MetricsServer, startMetricsServer } from '#shared/wire/node-metrics-server.ts';
import { createMetrics, watchedStandings } from './metrics.ts';
import { openMemoryDatabase } from './state/database.ts';
import { createInventories } from './state/inventories.ts';
import { OWED_SCHEMA } from './state/owed-rows.ts';
import type { Batch } from './state/ports.ts';
import { createStandings } from './state/standings.ts';
import { STANDINGS_SCHEMA } from './state/standings-schema.ts';

let server: MetricsServer | undefined;
afterEach(() => server?.close());

const miner = hotkeyOf(new Uint8Array(32).fill(1));
const batch: Batch = {
  ...{ id: 'b', task: 'challenge', atMs: 1, block: 1 },
  observations: [
    { miner, ending: 'passed', seconds: 0.2, bytes: 1, reason: 'passed', evidence: 'round:1' },
    { miner, ending: 'wrong', seconds: 1, bytes: 1, reason: 'wrong-leaf', evidence: 'round:1' },
  ],
};

it('shows jobs, answers once counted, standings, repairs and the age of weights, and no hotkey', async () => {
  const db = openMemoryDatabase([OWED_SCHEMA, STANDINGS_SCHEMA]);
  const counted = createStandings(db);
  const metrics = createMetrics({
    standings: counted,
    inventories: createInventories(db),
    repairs: { counts: () => ({ segments: 7, beyondRepair: 2, byReason: {} }) },
    blocks: { newest: () => ({ number: 500, hash: new Uint8Array(32) }) },
    weightsBlock: () => 440,
  });
  const standings = watchedStandings(counted, metrics.watchBatch);
  expect([standings.record(batch), standings.record(batch)]).toEqual([true, false]);
  metrics.watchRun('publish', 'done', 1500);
  metrics.watchRun('publish', 'late', 90_000);
  metrics.watchJobs(() => [{ name: 'publish', paused: false, running: true, overdueMs: 2500 }]);
  server = await startMetricsServer(metrics, { host: '127.0.0.1', port: 0 });
  const response = await fetch(server.url);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith('filetao_'));
  expect(lines).toEqual(
    expect.arrayContaining([
      'filetao_validator_job_runs_total{job="publish",outcome="done"} 1',
      'filetao_validator_job_runs_total{job="publish",outcome="late"} 1',
      'filetao_validator_job_seconds_sum{job="publish"} 91.5',
      'filetao_validator_job_backlog_seconds{job="publish"} 2.5',
      'filetao_validator_job_running{job="publish"} 1',
      'filetao_validator_answers_total{task="challenge",ending="passed",reason="passed"} 1',
      'filetao_validator_answers_total{task="challenge",ending="wrong",reason="wrong-leaf"} 1',
      'filetao_validator_answer_seconds_count{task="challenge"} 1',
      'filetao_validator_miners{tier="Bronze"} 1',
      'filetao_validator_owed_bytes 0',
      'filetao_validator_repair_segments 7',
      'filetao_validator_repair_lost_segments 2',
      'filetao_validator_finalized_block 500',
      'filetao_validator_weights_age_blocks 60',
    ]),
  );
  expect(lines.join('\n')).not.toContain(miner);
});

it('answers nothing else', async () => {
  server = await startMetricsServer(
    { contentType: 'text/plain', text: async () => 'x' },
    { host: '127.0.0.1', port: 0 },
  );
  const { origin } = new URL(server.url);
  expect((await fetch(`${origin}/`)).status).toBe(404);
  expect((await fetch(server.url, { method: 'POST' })).status).toBe(405);
  expect((await fetch(server.url, { method: 'HEAD' })).status).toBe(200);
});
