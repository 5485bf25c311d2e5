/**
 * One process a folder: a file that holds the pid of who has it. A pid that runs no more (killed, machine restarted) is
 * taken over.
 */
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NAME = 'lock';

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Takes the folder; gives the function that releases it. Throws when another process has it. */
export function lockFolder(folder: string): () => void {
  const path = join(folder, NAME);
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      return () => unlinkSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const pid = Number(readFileSync(path, 'utf8'));
    if (Number.isInteger(pid) && pid > 0 && pid !== process.pid && runs(pid)) {
      throw new Error(`process ${pid} has ${folder}; stop it, or delete ${path} if it is another program`);
    }
    unlinkSync(path);
  }
}
