/**
 * Closes the window of statistics when the chain has passed its last block: tiers are set, counts begin anew. A window
 * is a number (block divided by its length), so that a block that nobody saw skips nothing and a restart repeats nothing.
 */
import type { ValidatorPorts } from '#validator/ports.ts';
import type { StandingsBook } from '#validator/state/ports.ts';

/** The original's rollover: 2.4 hours of Bittensor. */
export const WINDOW_BLOCKS = 720;

type Ports = Pick<ValidatorPorts, 'blocks' | 'clock' | 'log'> & { readonly standings: StandingsBook };

export async function closeWindow({ blocks, clock, log, standings }: Ports, windowBlocks: number): Promise<void> {
  const { number } = blocks.newest();
  const window = Math.floor(number / windowBlocks);
  const open = standings.openWindow();
  if (!standings.enterWindow(window, clock.nowMs(), number)) return;
  const tiers: Record<string, number> = {};
  for (const { tier } of standings.all()) tiers[tier] = (tiers[tier] ?? 0) + 1;
  log.info('window-closed', { window: open, block: number, tiers });
}
