/**
 * Preloaded into every child of the local network (`node --import`): when the process that started it goes away, even
 * by kill -9, the IPC channel closes and the child ends with all it started. It leads a process group of its own.
 */
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';

/** For a clean end; then the whole group is killed. */
const GRACE_MS = 3000;

if (isMainThread && process.channel) {
  process.on('disconnect', () => {
    setTimeout(() => process.kill(-process.pid, 'SIGKILL'), GRACE_MS);
    process.kill(-process.pid, 'SIGTERM');
  });
  // Listening must not be what keeps the child alive.
  process.channel.unref();
}
