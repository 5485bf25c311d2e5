/**
 * Who holds the lease, in 16 hex digits: this folder on this running system. A process that died and comes back has the
 * same name and need not wait for its own lease; a copy of the folder, another machine, and a machine that was started
 * anew (or cloned) have another.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

export function holderOf(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { dev, ino } = statSync(folder);
  const text = [hostname(), dev, ino, bootId()].join(' ');
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Where the system does not tell, every process is another one. */
function bootId(): string {
  try {
    return readFileSync(BOOT_ID, 'utf8').trim();
  } catch {
    return randomBytes(16).toString('hex');
  }
}
