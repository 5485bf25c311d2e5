/** `filetao audit export` and `audit verify`: a validator's ledger for others, and the judgement of it without asking anyone. */
import { createReadStream, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { iterableStream } from '#client/file-source.ts';
import type { AuditReport } from '#shared/ledger/audit-report.ts';
import { silentLog, systemClock, systemRandom } from '#shared/primitives/effects.ts';
import { parseHotkey } from '#shared/primitives/ids.ts';
import { CommandFailed, orFail, usageError } from '../command-failed.ts';
import type { Cli, Run } from '../command-spec.ts';
import { EXIT } from '../exit-codes.ts';
import { type Given, parseCount } from '../given.ts';
import { existsFailure, receiveFile } from '../receive-file.ts';
import { formatRatio } from '../terminal/percent.ts';
import { formatPairs, formatTable } from '../terminal/table.ts';
import { formatBytes } from '../terminal/units.ts';

export const exportAudit: Run = async (cli, given) => {
  const { auditExport } = await import('#shared/ledger/node-audit-export.ts');
  const path = resolve(cli.workingFolder, given.one(0, 'the file to write'));
  const dataDir = given.text('data-dir') || cli.environment.FILETAO_VALIDATOR_DATA_DIR;
  if (!dataDir) throw usageError('whose ledger? Give --data-dir, the data folder of the validator');
  const force = given.flag('force');
  if (!force && existsSync(path)) throw existsFailure(path);
  const fromRound = given.parsed('from', parseCount, 'the number of a round');
  const miners = given.texts('miner').map((text) => parseHotkey(text) ?? fail(text));
  const lines = orFail(
    await auditExport(resolve(cli.workingFolder, dataDir), {
      ...(fromRound !== undefined && { fromRound }),
      ...(miners.length > 0 && { miners }),
      answers: !given.declined('answers'),
    }),
  );
  let count = 0;
  async function* bytes() {
    const encoder = new TextEncoder();
    for await (const line of lines) {
      count++;
      yield encoder.encode(`${line}\n`);
    }
  }
  const written = await receiveFile(iterableStream(bytes()), path, { force, signal: cli.signal });
  cli.out.result({ path, bytes: written, lines: count }, `${path}  ${formatBytes(written)}, ${count} lines`);
};

function fail(text: string): never {
  throw usageError(`${JSON.stringify(text)} is no hotkey`);
}

/** Block hashes from a node; undefined where the node does not know the block. */
async function withBlocks<T>(
  endpoint: string,
  use: (hash: (number: number) => Promise<Uint8Array | undefined>) => Promise<T>,
) {
  if (!/^wss?:\/\//.test(endpoint)) throw usageError('--chain must be the ws:// or wss:// URL of a node');
  const { connectSubstrateChain } = await import('#shared/chain/substrate-chain.ts');
  const commits = { list: async () => [], put: async () => undefined, remove: async () => undefined };
  const ports = { clock: systemClock, random: systemRandom, log: silentLog, commits };
  const chain = orFail(await connectSubstrateChain({ endpoint, ...ports }));
  try {
    return await use(async (number) => {
      const hash = await chain.blockHash(number);
      if (hash.ok) return hash.value;
      if (hash.failure.code === 'block-unknown') return undefined;
      throw new CommandFailed(hash.failure.code, hash.failure.message, EXIT.unavailable);
    });
  } finally {
    await chain.close();
  }
}

export const verifyAudit: Run = async (cli, given) => {
  const [{ verifyExport }, { loadNodeZkKernel }, { loadSr25519 }] = await Promise.all([
    import('#shared/ledger/verify-export.ts'),
    import('#shared/proof/zk/node-zk-kernel.ts'),
    import('#shared/wire/node-sr25519.ts'),
  ]);
  const path = resolve(cli.workingFolder, given.one(0, 'the exported file'));
  if (!existsSync(path)) throw new CommandFailed('no-such-file', `there is no ${path}`, EXIT.notFound);
  const { verify } = await loadSr25519();
  const judge = (blockHash?: (number: number) => Promise<Uint8Array | undefined>) => {
    const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
    const zk = { kernel: loadNodeZkKernel, random: systemRandom };
    return verifyExport(lines, { verify, zk, ...(blockHash && { blockHash }) });
  };
  const chain = given.text('chain');
  const judged = chain === undefined ? await judge() : await withBlocks(chain, judge);
  if (!judged.ok) throw new CommandFailed(judged.failure.code, judged.failure.message, EXIT.wrongBytes);
  tell(cli, given, judged.value);
};

function tell(cli: Cli, given: Given, report: AuditReport): void {
  const { head, miners, assumptions, wordAlone, records, blocksChecked } = report;
  const rows = miners.map((miner) => [
    miner.miner,
    String(miner.rounds),
    String(miner.sweeps),
    `${miner.passed} of ${miner.attempts}`,
    formatRatio(miner.passed, miner.attempts),
    `${miner.receipted} of ${miner.added}`,
  ]);
  const right = 'right' as const;
  const columns = [
    { title: 'miner' },
    { title: 'rounds', align: right },
    { title: 'sweeps', align: right },
    { title: 'passed', align: right },
    { title: '', align: right },
    { title: 'shards with receipts', align: right },
  ];
  const onWord = wordAlone.reduce((sum, { items }) => sum + items, 0);
  const blocks =
    assumptions.length === 0
      ? `${blocksChecked} hashes are those of ${given.text('chain') ?? 'the chain'}`
      : `${assumptions.length} hashes are assumed (--chain checks them): blocks ${assumptions[0]?.number} to ${assumptions.at(-1)?.number}`;
  const facts = formatPairs([
    ['validator', head.validator],
    ['records', `${records}, every seed, selection, index, verdict and link derived again: all right`],
    ['blocks', blocks],
    [
      'on its word',
      onWord === 0 ? 'nothing' : `${onWord} verdicts in ${wordAlone.length} rounds rest on the validator's word alone`,
    ],
  ]);
  const words = wordAlone.map(({ miner, round, verdict, items, why }) => [
    miner,
    String(round),
    String(verdict),
    String(items),
    why,
  ]);
  const wordTable =
    words.length === 0
      ? ''
      : `\n\n${formatTable(
          ['miner', 'round', 'verdict', 'items', 'why'].map((title) => ({ title })),
          words.slice(0, WORDS),
        )}${words.length > WORDS ? `\n… ${words.length - WORDS} more: --json` : ''}`;
  cli.out.result(
    { verified: true, ...report, head: { ...head, genesis: Buffer.from(head.genesis).toString('hex') } },
    `${facts}\n\n${formatTable(columns, rows)}${wordTable}`,
  );
}

/** Rows that a person reads. */
const WORDS = 20;
