/**
 * `npm start`: a whole network on this machine. This file is plain JavaScript that any Node can read, so that a host
 * which cannot run the rest is told so in one line; then `local-network/main.ts` takes over.
 */
import process from 'node:process';

/** Runs TypeScript by stripping types, without a flag, since 22.18. */
const MIN_NODE = [22, 18];

/** What keeps this host from running the network, as one line; undefined when nothing does. */
function unsupported() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const old = major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1]);
  const host = `${process.platform}-${process.arch}`;
  if (process.platform === 'win32') return 'Windows is not supported: run it inside WSL 2';
  if (!['linux', 'darwin'].includes(process.platform) || !['x64', 'arm64'].includes(process.arch)) {
    return `${host} is not supported: the Workers runtime exists for Linux and macOS on x64 and arm64`;
  }
  if (process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime) {
    return 'this Linux uses musl: the Workers runtime needs glibc (Debian, Ubuntu, Fedora, …)';
  }
  if (old) {
    const pinned = process.platform === 'linux' ? ' (npm ci brings the pinned one: use npm start)' : '';
    return `Node ${process.versions.node} is too old on ${host}: it needs ${MIN_NODE.join('.')} or newer${pinned}`;
  }
  return undefined;
}

const reason = unsupported();
if (reason) {
  process.stderr.write(`filetao: ${reason}\n`);
  process.exit(1);
}
// node:sqlite calls itself experimental; any other warning is still shown.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${warning.name}: ${warning.message}\n`);
});
await import('./local-network/main.ts');
