/** `node bench/zk-adversaries.ts`: every adversary of zk/v1, what it must get and what it got. */
import process from 'node:process';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { createNobleZkKernel } from '#shared/proof/zk/noble-zk-kernel.ts';
import { loadNodeZkKernel } from '#shared/proof/zk/node-zk-kernel.ts';
import { zkAdversaries } from '#shared/proof/zk/testing/zk-adversaries.ts';

const ports = { zk: loadNodeZkKernel(), zkOver: createNobleZkKernel, hash: loadNodeKernel() };
const rows = zkAdversaries(ports).map(({ id, expected, run }) => ({ id, expected, got: run() }));
const width = Math.max(...rows.map(({ id }) => id.length)) + 2;
console.log(`${'adversary'.padEnd(width)}${'must get'.padEnd(22)}got`);
for (const { id, expected, got } of rows) {
  console.log(`${id.padEnd(width)}${expected.padEnd(22)}${got}${got === expected ? '' : '   WRONG'}`);
}
const wrong = rows.filter(({ expected, got }) => got !== expected).length;
console.log(`${rows.length} adversaries, ${wrong} with another result than expected`);
process.exitCode = wrong === 0 ? 0 : 1;
