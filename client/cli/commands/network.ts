/** `filetao network`: how the network stands, and with --miners a row for each miner. */
import type { Run } from '../command-spec.ts';
import { networkReader } from '../settings/read-network.ts';
import { formatRatio } from '../terminal/percent.ts';
import { formatPairs, formatTable } from '../terminal/table.ts';
import { formatBytes, formatTime } from '../terminal/units.ts';

const right = 'right' as const;

export const showNetwork: Run = async (cli, given) => {
  const reader = await networkReader(cli, given);
  if (given.flag('miners')) {
    const answer = await reader.miners();
    const rows = answer.miners.map((miner) => [
      miner.uid === null ? '-' : String(miner.uid),
      miner.hotkey,
      miner.tier,
      miner.score.toFixed(3),
      miner.reward.toFixed(4),
      String(miner.weight),
      String(miner.shards),
      formatBytes(miner.storedBytes),
      formatBytes(miner.freeBytes),
      miner.accepting ? 'yes' : 'no',
    ]);
    const titles = ['uid', 'hotkey', 'tier', 'score', 'reward', 'weight', 'shards', 'stored', 'free', 'takes files'];
    const columns = titles.map((title, at) => ({ title, ...(at !== 1 && at !== 2 && at !== 9 && { align: right }) }));
    cli.out.result(answer, formatTable(columns, rows));
    return;
  }
  const answer = await reader.network();
  const { miners, tiers, answers, window, weights } = answer;
  const facts = formatPairs([
    ['validator', answer.validator],
    ['block', `${answer.block}; window ${window.number} closes at ${window.closesAtBlock}`],
    ['miners', `${miners.known}, of which ${miners.accepting} take files`],
    ['stored', `${formatBytes(answer.storedBytes)} of ${formatBytes(answer.capacityBytes)}`],
    [
      'answers',
      `${answers.successes} of ${answers.attempts} right in this window (${formatRatio(answers.successes, answers.attempts)})`,
    ],
    ['weights', weights ? `${weights.step} at block ${weights.block}: ${weights.reason}` : 'not set yet'],
    ['as of', `${formatTime(answer.takenAt)} UTC`],
  ]);
  const rows = tiers.map((tier) => [
    tier.tier,
    String(tier.miners),
    formatBytes(tier.storedBytes),
    formatBytes(tier.capacityBytes),
    formatRatio(tier.answers.successes, tier.answers.attempts),
  ]);
  const columns = ['tier', 'miners', 'stored', 'capacity', 'right'].map((title, at) => ({
    title,
    ...(at > 0 && { align: right }),
  }));
  cli.out.result(answer, `${facts}\n\n${formatTable(columns, rows)}`);
};
