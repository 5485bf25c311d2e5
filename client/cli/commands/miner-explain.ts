/** `filetao miner explain`: why a miner stands where it stands: sentences first, then every change with its evidence. */
import type { MinerEventAnswer } from '#shared/api/network-schemas.ts';
import type { Run } from '../command-spec.ts';
import { parseCount } from '../given.ts';
import { networkReader } from '../settings/read-network.ts';
import { formatPairs, formatTable } from '../terminal/table.ts';
import { formatBytes, formatTime } from '../terminal/units.ts';

const DEFAULT_EVENTS = 20;

/** "0.500 → 0.775", or the value where it did not change. */
const change = (before: string, after: string): string => (before === after ? after : `${before} → ${after}`);

export const eventRow = ({
  at,
  block,
  cause,
  ending,
  reason,
  evidence,
  score,
  tier,
  reward,
}: MinerEventAnswer): readonly string[] => [
  formatTime(at),
  block === null ? '-' : String(block),
  ending === null ? cause : `${cause} ${ending}`,
  reason,
  change(score.before.toFixed(3), score.after.toFixed(3)),
  change(reward.before.toFixed(4), reward.after.toFixed(4)),
  change(tier.before, tier.after),
  evidence,
];

export const explainMiner: Run = async (cli, given) => {
  const limit = given.parsed('limit', parseCount, 'a whole number') ?? DEFAULT_EVENTS;
  const reader = await networkReader(cli, given);
  const miner = await reader.miner(given.one(0, 'the hotkey'));
  const events = miner.events.slice(0, limit);
  const { window } = miner;
  const asked = (['store', 'challenge', 'retrieve'] as const).map(
    (task) => `${task} ${window[task].successes} of ${window[task].attempts}`,
  );
  const facts = formatPairs([
    ['hotkey', miner.hotkey],
    ['uid', miner.uid === null ? 'not in the metagraph' : String(miner.uid)],
    ['tier', `${miner.tier}, may hold ${formatBytes(miner.limitBytes)}`],
    ['score', `${miner.score.toFixed(3)} in this window: ${asked.join(', ')}`],
    ['reward', `${miner.reward.toFixed(4)} (moving average), weight ${miner.weight} of 65535`],
    [
      'holds',
      `${formatBytes(miner.storedBytes)} in ${miner.shards} shards, ${formatBytes(miner.freeBytes)} more possible`,
    ],
    ['strikes', `${miner.strikes} in this window, ${miner.totalStrikes} in all`],
  ]);
  const titles = ['when (UTC)', 'block', 'what', 'reason', 'score', 'reward', 'tier', 'evidence'];
  const table =
    events.length > 0
      ? formatTable(
          titles.map((title) => ({ title })),
          events.map(eventRow),
        )
      : 'No events yet.';
  cli.out.result({ ...miner, events }, [facts, ...miner.explanation, table].join('\n\n'));
};
