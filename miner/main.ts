/**
 * The miner program. Start: `node --disable-warning=ExperimentalWarning miner/main.ts`.
 * The rest is imported late, so that loading it already happens in a small heap.
 */
import { keepHeapSmall } from './small-heap.ts';

const whileBusy = keepHeapSmall();
const { runMiner } = await import('./run-miner.ts');
await runMiner(process.env, whileBusy);
