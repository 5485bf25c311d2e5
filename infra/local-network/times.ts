/**
 * The local scale of time: what takes hours in production takes seconds here, so that a person sees a deletion reach
 * the disks and a test need not wait. Every figure is a setting of the program that it belongs to.
 */
export interface NetworkTimes {
  /** How long an upload may take before it is given up. */
  readonly sessionMs: number;
  /** The same of an upload by parts, which somebody may go on with after lunch. */
  readonly uploadSessionMs: number;
  /** How much longer its shards are held by miners (24 h in production). */
  readonly holdMs: number;
  /** After that, how long until collection takes what nobody explains (24 h in production). */
  readonly collectGraceMs: number;
  /** How long a dropped shard can be restored (72 h in production). */
  readonly restoreMs: number;
  /** Pause between two runs of any of the tenant's jobs but those below. */
  readonly jobMs: number;
  /** How often every miner is asked for its proof and health: on one machine the answers cost the same processors. */
  readonly publishMs: number;
  readonly collectMs: number;
  /** Between two blocks of the chain (12 s in production). */
  readonly blockMs: number;
  /** How often a miner asks the chain for its tenants and its own place (5 minutes in production). */
  readonly minerChainMs: number;
  /** How often every miner is pinged; the sixth ping in a row that fails is a strike. */
  readonly monitorMs: number;
  /** How long a segment that lost few shards waits for their miners (24 h in production). */
  readonly repairDelayMs: number;
  /** Pause between two looks for a new block (one a second here) by the jobs that wait for one. */
  readonly blockJobMs: number;
  /** How often the network's series get a row (an hour in production). */
  readonly snapshotMs: number;
  /** Length of a window of statistics (720 in production). */
  readonly windowBlocks: number;
  /** Blocks from one round of challenges to the next (25 in production). */
  readonly roundBlocks: number;
  /** Blocks from one draw of whole-shard reads to the next (25 in production). */
  readonly retrieveBlocks: number;
  /** Blocks from one draw of synthetic stores to the next (75 in production). */
  readonly syntheticBlocks: number;
  /** 0: none. Tests that count shards want none; `npm start` has some. */
  readonly syntheticBytesPerDay: number;
  /** Pause between two requests of the full sweep. */
  readonly sweepMs: number;
}

export const LOCAL_TIMES: NetworkTimes = {
  sessionMs: 10 * 60_000,
  uploadSessionMs: 4 * 3600_000,
  holdMs: 60_000,
  collectGraceMs: 10_000,
  restoreMs: 2000,
  jobMs: 2000,
  publishMs: 6000,
  collectMs: 5000,
  blockMs: 1000,
  minerChainMs: 3000,
  monitorMs: 2000,
  repairDelayMs: 10_000,
  blockJobMs: 1000,
  snapshotMs: 15_000,
  windowBlocks: 60,
  roundBlocks: 5,
  retrieveBlocks: 10,
  syntheticBlocks: 15,
  syntheticBytesPerDay: 0,
  sweepMs: 10_000,
};
