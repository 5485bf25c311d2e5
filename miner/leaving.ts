/**
 * A miner's announcement that it goes for good: the file `leaving` in its data folder, so that a restart does not
 * forget it. While it is there the miner takes nothing new, serves and proves what it has, and says so in its signed
 * health; validators move its shards elsewhere, and once it holds none it may end. Made and read by `run-miner.ts`.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'leaving';
/** The file is looked for so often at most: whoever writes it need not tell the miner. */
const LOOK_MS = 500;

export interface Leaving {
  announced(): boolean;
  announce(leaves: boolean): void;
}

export function leavingIn(dataDir: string, nowMs: () => number): Leaving {
  const file = join(dataDir, FILE);
  let announced = existsSync(file);
  let lookedMs = nowMs();
  return {
    announced() {
      if (nowMs() - lookedMs >= LOOK_MS) {
        lookedMs = nowMs();
        announced = existsSync(file);
      }
      return announced;
    },
    announce(leaves) {
      if (leaves) writeFileSync(file, '', { mode: 0o600 });
      else rmSync(file, { force: true });
      announced = leaves;
      lookedMs = nowMs();
    },
  };
}
