/**
 * The way back from a mistake, within the miners' hold: orders restored what was ordered dropped in a span of time, from
 * the receipts that the ledger keeps. For an operator (`docs/run-a-validator.md`, "Restoring what was dropped"); what no
 * manifest names is collected again, so the index comes first.
 */
import type { AnchorId, Hotkey } from '#shared/primitives/ids.ts';
import type { MinerPeer } from '#shared/wire/ports.ts';
import type { TenantPorts } from '#validator/ports.ts';
import { readKnownMiners } from './known-miners.ts';

/** Anchors of one order. */
const ORDER_ANCHORS = 1000;
/** The `reason` byte of a restore order: an operator's. */
const BY_OPERATOR = 0;

export interface DroppedShards {
  readonly atMs: number;
  readonly miner: Hotkey;
  readonly action: 'drop' | 'restore';
  readonly anchorIds: readonly AnchorId[];
}

export interface RestoreReport {
  readonly asked: number;
  readonly restored: number;
  /** By what the miner signed instead: erased, absent; or `unanswered`. */
  readonly notRestored: Readonly<Record<string, number>>;
}

type Ports = Pick<TenantPorts, 'registrations' | 'directory' | 'miners' | 'minerUrl' | 'log'>;

export async function restoreDropped(
  ports: Ports,
  dropped: AsyncIterable<DroppedShards>,
  span: { readonly sinceMs: number; readonly untilMs: number },
  signal: AbortSignal,
): Promise<RestoreReport> {
  const byMiner = new Map<Hotkey, Set<AnchorId>>();
  for await (const { atMs, miner, action, anchorIds } of dropped) {
    if (action !== 'drop' || atMs < span.sinceMs || atMs > span.untilMs) continue;
    const anchors = byMiner.get(miner) ?? new Set();
    for (const anchorId of anchorIds) anchors.add(anchorId);
    byMiner.set(miner, anchors);
  }
  const known = await readKnownMiners(ports);
  const peers = new Map([...known.values()].flatMap((peer) => (peer ? [[peer.hotkey, peer] as const] : [])));
  const notRestored: Record<string, number> = {};
  const count = (what: string, by: number) => {
    notRestored[what] = (notRestored[what] ?? 0) + by;
  };
  let [asked, restored] = [0, 0];
  await Promise.all(
    [...byMiner].map(async ([miner, anchors]) => {
      const peer = peers.get(miner);
      const all = [...anchors];
      asked += all.length;
      for (let at = 0; at < all.length; at += ORDER_ANCHORS) {
        const batch = all.slice(at, at + ORDER_ANCHORS);
        const states = peer && (await restoreBatch(ports, peer, batch, signal));
        if (!states) count('unanswered', batch.length);
        for (const state of states ?? []) {
          if (state === 'restored') restored++;
          else count(state, 1);
        }
      }
    }),
  );
  const report = { asked, restored, notRestored };
  ports.log.info('restored', report);
  return report;
}

async function restoreBatch({ miners, log }: Ports, peer: MinerPeer, batch: readonly AnchorId[], signal: AbortSignal) {
  const answer = await miners.drop(peer, batch, 'restore', BY_OPERATOR, signal);
  if (answer.ok) return answer.value.map(({ state }) => state);
  log.warn('restore-refused', { ...answer.failure });
  return undefined;
}
