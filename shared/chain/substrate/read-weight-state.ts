/** Everything that the weight flows ask of the chain: one request, and one more for what hangs on the uid. */
import { toHex } from '#shared/primitives/bytes.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { BlockRef } from '../ports.ts';
import type { ChainCommit, WeightState } from '../weights/weight-ports.ts';
import { bigOf, boolOf, listOf, numberOf } from './codec-values.ts';
import { type Connection, readStorage } from './connection.ts';
import { readRules } from './read-subnet.ts';

export async function readWeightState(
  connection: Connection,
  netuid: number,
  hotkey: Hotkey,
  block: BlockRef,
): Promise<WeightState> {
  const runtime = await connection.runtime();
  const entry = (item: string, ...keys: readonly unknown[]) => runtime.storage('SubtensorModule', item, ...keys);
  const [rules, values] = await Promise.all([
    readRules(connection, netuid, block),
    readStorage(
      connection,
      [
        entry('Uids', netuid, hotkey),
        entry('WeightCommits', netuid, hotkey),
        entry('ValidatorPermit', netuid),
        entry('LastUpdate', netuid),
        entry('SubnetEpochIndex', netuid),
        entry('LastEpochBlock', netuid),
        entry('PendingEpochAt', netuid),
      ],
      block.hash,
    ),
  ]);
  const [uidValue, commits, permits, updates, index, lastEpoch, pendingEpoch] = values;
  const uid = uidValue && numberOf(uidValue);
  const permit = uid === undefined || !permits ? undefined : listOf(permits)[uid];
  const update = uid === undefined || !updates ? undefined : listOf(updates)[uid];
  return {
    rules,
    epoch: {
      block: block.number,
      index: index ? bigOf(index) : 0n,
      tempo: rules.tempo,
      lastEpochBlock: lastEpoch ? numberOf(lastEpoch) : 0,
      pendingEpochAt: pendingEpoch ? numberOf(pendingEpoch) : 0,
    },
    uid,
    validatorPermit: permit ? boolOf(permit) : false,
    lastUpdate: update ? numberOf(update) : 0,
    commits: commits ? listOf(commits).map(commitOf) : [],
  };
}

/** (hash, epoch, block, _) */
function commitOf(value: Parameters<typeof listOf>[0]): ChainCommit {
  const [hash, epoch] = listOf(value);
  if (!hash || !epoch) throw new TypeError('a weights commit without hash and epoch');
  return { commit: toHex(hash.toU8a()), epoch: bigOf(epoch) };
}
