/** The index in memory keeps the contract of re-codings as every adapter does. */
import { systemClock } from '#shared/primitives/effects.ts';
import { describeRecoding } from './index-suite-recoding.ts';
import { MemoryIndex } from './memory-index.ts';

const index = new MemoryIndex(systemClock);
describeRecoding(() => ({ index, other: index, world: systemClock }));
