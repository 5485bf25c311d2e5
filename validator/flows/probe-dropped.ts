/**
 * Asks miners for shards that they receipted as dropped: none may be served any more. One that still is costs its miner
 * a failed answer, is told in the log, and is ordered dropped again, until it is gone. A miner that does not answer is
 * asked again later; one that left is asked no more.
 */
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { MinerPeer } from '#shared/wire/ports.ts';
import { DROP_REASONS } from '#validator/domain/drop-reason.ts';
import type { TenantPorts } from '#validator/ports.ts';
import type { DropProbe, DropProbes } from '#validator/state/drop-probes.ts';
import type { Standings } from '#validator/state/ports.ts';
import { readKnownMiners } from './known-miners.ts';

/** Probes of one run, and those under way at a time. */
const PER_RUN = 512;
const AT_ONCE = 16;

export interface ProbeDroppedPorts
  extends Pick<TenantPorts, 'registrations' | 'directory' | 'miners' | 'minerUrl' | 'clock' | 'log'> {
  readonly probes: DropProbes;
  readonly standings: Standings;
  readonly blockNumber: () => number | undefined;
}

export interface ProbeDroppedReport {
  asked: number;
  served: number;
  silent: number;
}

/** @param againMs until a shard that was served, or whose miner was silent, is asked for again */
export async function probeDropped(
  ports: ProbeDroppedPorts,
  againMs: number,
  signal: AbortSignal,
): Promise<ProbeDroppedReport> {
  const report: ProbeDroppedReport = { asked: 0, served: 0, silent: 0 };
  const due = [...ports.probes.due(ports.clock.nowMs(), PER_RUN)];
  if (due.length === 0) return report;
  const known = await readKnownMiners(ports);
  const peers = new Map<Hotkey, MinerPeer>();
  for (const peer of known.values()) if (peer) peers.set(peer.hotkey, peer);
  const worker = async () => {
    for (let next = due.pop(); next && !signal.aborted; next = due.pop()) {
      await probeOne(ports, peers.get(next.miner), next, againMs, report, signal);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (report.served > 0) ports.log.error('dropped-shards-served', { ...report });
  return report;
}

async function probeOne(
  ports: ProbeDroppedPorts,
  peer: MinerPeer | undefined,
  probe: DropProbe,
  againMs: number,
  report: ProbeDroppedReport,
  signal: AbortSignal,
): Promise<void> {
  const { probes, miners, clock, log } = ports;
  const { miner, anchorId, served } = probe;
  if (!peer) {
    probes.settle(miner, [anchorId]);
    return;
  }
  report.asked++;
  const answer = await miners.headShard(peer, anchorId, signal);
  if (signal.aborted) return;
  if (!answer.ok && (answer.failure.code === 'absent' || answer.failure.code === 'dropped')) {
    probes.settle(miner, [anchorId]);
  } else if (!answer.ok) {
    report.silent++;
    probes.postpone(probe, clock.nowMs() + againMs, served);
  } else {
    report.served++;
    log.error('dropped-shard-served', { miner, anchorId, times: served + 1 });
    count(ports, probe);
    probes.postpone(probe, clock.nowMs() + againMs, served + 1);
    await miners.drop(peer, [anchorId], 'drop', DROP_REASONS.deleted, signal);
  }
}

/** It answered for what it signed to have let go of: a wrong answer, like any other. */
function count({ standings, clock, blockNumber }: ProbeDroppedPorts, { miner, anchorId, served }: DropProbe): void {
  const evidence = `drop:${anchorId}`;
  const observation = { miner, ending: 'wrong', seconds: 0, bytes: 0, reason: 'dropped-but-served', evidence } as const;
  standings.record({
    id: `probe-dropped:${miner}:${anchorId}:${served}`,
    ...{ task: 'retrieve', atMs: clock.nowMs(), block: blockNumber() },
    observations: [observation],
  });
}
