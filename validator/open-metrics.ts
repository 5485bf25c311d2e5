/** Starts the validator's `/metrics` where its settings name a port; without one, nothing is counted. Called by `main.ts`. */
import type { Log } from '#shared/primitives/effects.ts';
import { startMetricsServer } from '#shared/wire/node-metrics-server.ts';
import { createMetrics, type ValidatorMetrics, watchedStandings } from './metrics.ts';
import type { FinalizedBlocks } from './ports.ts';
import type { ValidatorSettings } from './settings.ts';
import type { ValidatorState } from './state/open-state.ts';

export interface OpenMetrics {
  /** The state as the jobs are to use it: what they count is seen. */
  readonly state: ValidatorState;
  readonly metrics: ValidatorMetrics | undefined;
  close(): Promise<void>;
}

export async function openMetrics(
  state: ValidatorState,
  blocks: FinalizedBlocks,
  settings: ValidatorSettings,
  log: Log,
): Promise<OpenMetrics> {
  if (!settings.metrics) return { state, metrics: undefined, close: async () => undefined };
  const metrics = createMetrics({ ...state, blocks, weightsBlock: () => state.weights.newestSet()?.block });
  const server = await startMetricsServer(metrics, settings.metrics);
  log.info('metrics', { url: server.url });
  const standings = watchedStandings(state.standings, metrics.watchBatch);
  return { state: { ...state, standings }, metrics, close: () => server.close() };
}
