/**
 * What Prometheus sees of the validator: how its jobs fare, what answers came, how miners stand, what waits for repair,
 * how old its weights are. Numbers that lie in the database are read when they are asked for. No label carries a hotkey:
 * who did what is `GET /v1/network/miners`. Listed in `docs/run-a-validator.md`.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { MetricsSource } from '#shared/wire/node-metrics-server.ts';
import type { FinalizedBlocks } from './ports.ts';
import type { JobState, RunWatcher } from './schedule.ts';
import type { Batch, Inventories, StandingsBook } from './state/ports.ts';
import type { Repairs } from './state/repairs.ts';

const RUN_SECONDS = [0.01, 0.1, 1, 10, 60, 600, 3600];
const ANSWER_SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60];

export interface MetricsFacts {
  readonly standings: StandingsBook;
  readonly inventories: Pick<Inventories, 'miners' | 'head'>;
  readonly repairs: Pick<Repairs, 'counts'>;
  readonly blocks: Pick<FinalizedBlocks, 'newest'>;
  /** Block of the newest weights or commit, as far as it is known. */
  weightsBlock(): number | undefined;
}

export interface ValidatorMetrics extends MetricsSource {
  readonly watchRun: RunWatcher;
  /** Counted when the standings have taken it. */
  readonly watchBatch: (batch: Batch) => void;
  /** From now on the jobs' states are shown too. */
  watchJobs(states: () => readonly JobState[]): void;
}

export function createMetrics(facts: MetricsFacts): ValidatorMetrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry });
  const named = (name: string, help: string) => ({ name: `filetao_validator_${name}`, help, registers });

  const runs = new Counter({ ...named('job_runs_total', 'Runs that ended'), labelNames: ['job', 'outcome'] });
  const runSeconds = new Histogram({
    ...named('job_seconds', 'How long runs took'),
    ...{ labelNames: ['job'], buckets: RUN_SECONDS },
  });
  const answers = new Counter({
    ...named('answers_total', 'Answers of miners that were counted'),
    labelNames: ['task', 'ending', 'reason'],
  });
  const answerSeconds = new Histogram({
    ...named('answer_seconds', 'How long answers that passed took'),
    ...{ labelNames: ['task'], buckets: ANSWER_SECONDS },
  });

  let states: () => readonly JobState[] = () => [];
  new Gauge({
    ...named('job_backlog_seconds', 'How long a run is overdue: grows while a job hangs or fails'),
    labelNames: ['job'],
    collect() {
      for (const { name, overdueMs } of states()) this.set({ job: name }, overdueMs / 1000);
    },
  });
  new Gauge({
    ...named('job_running', 'Whether a run is under way'),
    labelNames: ['job'],
    collect() {
      for (const { name, running } of states()) this.set({ job: name }, running ? 1 : 0);
    },
  });
  new Gauge({
    ...named('miners', 'Miners with a standing'),
    labelNames: ['tier'],
    collect() {
      this.reset();
      for (const { tier } of facts.standings.all()) this.inc({ tier });
    },
  });
  const owed = (of: 'bytes' | 'shards' | 'leaves') =>
    facts.inventories.miners().reduce((sum, miner) => sum + facts.inventories.head(miner)[of], 0);
  const gauge = (name: string, help: string, read: () => number | undefined) =>
    new Gauge({
      ...named(name, help),
      collect() {
        const value = read();
        if (value !== undefined) this.set(value);
      },
    });
  gauge('owed_bytes', 'Bytes that miners owe', () => owed('bytes'));
  gauge('owed_shards', 'Shards that miners owe', () => owed('shards'));
  gauge('repair_segments', 'Segments that wait for repair', () => facts.repairs.counts().segments);
  gauge('repair_lost_segments', 'Segments beyond repair', () => facts.repairs.counts().beyondRepair);
  gauge('finalized_block', 'Newest finalized block', () => facts.blocks.newest().number);
  gauge('weights_age_blocks', 'Blocks since weights were set or committed', () => {
    const block = facts.weightsBlock();
    return block === undefined ? undefined : Math.max(0, facts.blocks.newest().number - block);
  });

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    watchRun(job, outcome, ms) {
      runs.inc({ job, outcome });
      runSeconds.observe({ job }, ms / 1000);
    },
    watchBatch({ task, observations }) {
      for (const { ending, reason, seconds } of observations) {
        answers.inc({ task, ending, reason });
        if (ending === 'passed' && Number.isFinite(seconds)) answerSeconds.observe({ task }, seconds);
      }
    },
    watchJobs(read) {
      states = read;
    },
  };
}

/** Standings that tell of every batch they counted. */
export const watchedStandings = (standings: StandingsBook, watch: (batch: Batch) => void): StandingsBook => ({
  ...standings,
  record(batch) {
    const counted = standings.record(batch);
    if (counted) watch(batch);
    return counted;
  },
});
