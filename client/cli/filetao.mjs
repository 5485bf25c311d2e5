#!/usr/bin/env node
/**
 * `filetao`: plain JavaScript that any Node can read. Where this Node is too old to run TypeScript, the one that the
 * project brings takes over in its place; then `main.ts` does the rest.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants, homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** Runs TypeScript by stripping types, without a flag, since 22.18. */
const MIN_NODE = [22, 18];

const [major, minor] = process.versions.node.split('.').map(Number);
const old = major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1]);

/** Hands over to the Node of this checkout; its end is ours. */
function handOver(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  // The terminal signals the whole group: the child decides, and we end when it does.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`filetao: ${node} does not start: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

if (old) {
  const pinned = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));
  if (existsSync(pinned)) handOver(pinned);
  else {
    const why = `Node ${process.versions.node} is too old: it needs ${MIN_NODE.join('.')} or newer`;
    process.stderr.write(`filetao: ${why} (npm ci brings one along)\n`);
    process.exit(1);
  }
} else {
  // node:sqlite calls itself experimental; any other warning is still shown.
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${warning.name}: ${warning.message}\n`);
  });
  // Compiled code is kept: it halves the time until a command does something.
  module.enableCompileCache?.(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'filetao'));
  await import('./main.ts');
}
