/**
 * Whole-shard reads (the original's retrieve audit): miners drawn by a block's hash are each asked for one whole shard of
 * their inventory through an edge, by the very request that a user's read sends. Which shard is drawn at random and
 * unannounced, bytes alike. One draw is one batch; what it shows is decided by `judge-probe.ts`. Miners are asked one
 * after another, and timed by our own clock: an edge cannot make a friend look fast.
 */
import type { Kernel } from '#shared/codec/kernel.ts';
import { equalBytes } from '#shared/primitives/bytes.ts';
import type { Random } from '#shared/primitives/effects.ts';
import { anchorOf } from '#shared/proof/anchor.ts';
import { pickMiners, selectShards } from '#shared/proof/sample.ts';
import type { MinerPeer } from '#shared/wire/ports.ts';
import { type EdgeRead, judgeProbe, type ReadEnd } from '#validator/domain/judge-probe.ts';
import type { FinalizedBlocks, TenantPorts } from '#validator/ports.ts';
import type { ProbeClient, ProbeEdge } from '#validator/probe-client.ts';
import type { Inventories, Observation, OwedShard, Standings } from '#validator/state/ports.ts';
import type { Losses } from '#validator/state/repairs.ts';
import type { Synthetics } from '#validator/state/synthetics.ts';

/** Edges asked about one miner: two contradict or confirm each other. */
const EDGES_ASKED = 2;
/** Draws of a shard before a miner with hardly any that can be read whole is left alone. */
const SHARD_DRAWS = 8;

export interface ProbeSettings {
  /** Miners of one draw. */
  readonly miners: number;
  readonly everyBlocks: number;
  readonly edges: readonly ProbeEdge[];
}

export interface ProbePorts extends Pick<TenantPorts, 'registrations' | 'miners' | 'minerUrl' | 'clock' | 'log'> {
  readonly blocks: Pick<FinalizedBlocks, 'newest'>;
  readonly probes: ProbeClient;
  readonly synthetics: Pick<Synthetics, 'beginDraw' | 'lastDraw'>;
  readonly inventories: Pick<Inventories, 'head' | 'view' | 'find'>;
  readonly standings: Standings;
  readonly losses: Pick<Losses, 'report'>;
  readonly transaction: <T>(work: () => T) => T;
  readonly kernel: Kernel;
  readonly random: Random;
}

export interface ProbeReport {
  readonly asked: number;
  readonly passed: number;
  readonly failed: number;
  readonly void: number;
}

interface Probed {
  readonly peer: MinerPeer;
  readonly shard: OwedShard;
  readonly reads: readonly EdgeRead[];
  readonly direct: { readonly end: Exclude<ReadEnd, 'edge-away'>; readonly seconds: number } | undefined;
}

/** Undefined when no draw is due. */
export async function probeMiners(
  ports: ProbePorts,
  settings: ProbeSettings,
  signal: AbortSignal,
): Promise<ProbeReport | undefined> {
  const block = ports.blocks.newest();
  if (block.number < ports.synthetics.lastDraw('retrieve') + settings.everyBlocks) return undefined;
  const eligible = await eligibleMiners(ports);
  signal.throwIfAborted();
  if (!ports.synthetics.beginDraw('retrieve', block.number)) return undefined;
  const edges = shuffled(settings.edges, ports.random).slice(0, EDGES_ASKED);
  const probed: Probed[] = [];
  for (const at of pickMiners(block.hash, eligible.length, settings.miners)) {
    const peer = eligible[at] as MinerPeer;
    const shard = await drawShard(ports, peer);
    signal.throwIfAborted();
    if (shard) probed.push({ peer, shard, ...(await readWhole(ports, edges, peer, shard, signal)) });
  }
  signal.throwIfAborted();
  return settle(ports, block.number, probed);
}

/** In order of their uids, as the registrations come. */
async function eligibleMiners(ports: ProbePorts): Promise<readonly MinerPeer[]> {
  const registered = await ports.registrations.read();
  return registered.flatMap(({ hotkey, address, leftAt }) => {
    const url = ports.minerUrl(address);
    const owes = leftAt === undefined && url !== undefined && ports.inventories.head(hotkey).shards > 0;
    return owes ? [{ hotkey, url }] : [];
  });
}

/** Bytes alike; a shard of another anchor type cannot be read whole through an edge. */
async function drawShard({ inventories, random }: ProbePorts, { hotkey }: MinerPeer): Promise<OwedShard | undefined> {
  for (let draw = 0; draw < SHARD_DRAWS; draw++) {
    const [drawn] = await selectShards(random(32), inventories.view(hotkey), 1);
    const shard = drawn && inventories.find(hotkey, drawn.anchorId);
    if (shard?.anchorType === 1) return shard;
  }
  return undefined;
}

async function readWhole(
  ports: ProbePorts,
  edges: readonly ProbeEdge[],
  peer: MinerPeer,
  shard: OwedShard,
  signal: AbortSignal,
): Promise<Pick<Probed, 'reads' | 'direct'>> {
  const { clock, probes } = ports;
  const reads: EdgeRead[] = [];
  for (const edge of edges) {
    const askedMs = clock.nowMs();
    const answer = await probes.probe(edge, peer.hotkey, shard, signal);
    const end: ReadEnd =
      answer.kind === 'shard'
        ? judgeBytes(ports, shard, answer.bytes)
        : answer.kind === 'miner-failed'
          ? answer.code
          : 'edge-away';
    if (answer.kind === 'edge-failed') ports.log.warn('probe-edge', { edge: edge.hotkey, reason: answer.message });
    reads.push({ edge: edge.hotkey, end, seconds: (clock.nowMs() - askedMs) / 1000 });
    if (end === 'right' || signal.aborted) return { reads, direct: undefined };
  }
  if (reads.every(({ end }) => end === 'edge-away')) return { reads, direct: undefined };
  return { reads, direct: await readDirectly(ports, peer, shard, signal) };
}

async function readDirectly(ports: ProbePorts, peer: MinerPeer, shard: OwedShard, signal: AbortSignal) {
  const askedMs = ports.clock.nowMs();
  let end: Exclude<ReadEnd, 'edge-away'> = 'unreachable';
  for await (const answer of ports.miners.readShards(peer, [shard], signal)) {
    // It takes us for none of its tenants, or our clock for wrong: we saw nothing.
    if (!answer.ok && answer.failure.fault === 'us') return undefined;
    if (answer.ok) end = judgeBytes(ports, shard, answer.value);
    else if (answer.failure.code === 'absent' || answer.failure.code === 'dropped') end = 'absent';
  }
  return { end, seconds: (ports.clock.nowMs() - askedMs) / 1000 };
}

function judgeBytes({ kernel }: ProbePorts, shard: OwedShard, bytes: Uint8Array): 'right' | 'wrong-bytes' {
  const right = bytes.length === shard.bytes && equalBytes(anchorOf(kernel, bytes).root, shard.root);
  return right ? 'right' : 'wrong-bytes';
}

/** Everything of one draw, in one transaction. */
function settle(ports: ProbePorts, block: number, probed: readonly Probed[]): ProbeReport {
  const goodFor = (peer: MinerPeer): ReadonlySet<string> =>
    new Set(
      probed
        .filter((other) => other.peer.hotkey !== peer.hotkey)
        .flatMap(({ reads }) => reads.filter(({ end }) => end === 'right').map(({ edge }) => edge)),
    );
  const verdicts = probed.map((one) => ({ ...one, verdict: judgeProbe(one.reads, one.direct, goodFor(one.peer)) }));
  const observations = verdicts.flatMap(({ peer, shard, verdict: { ending, reason, seconds } }): Observation[] => {
    if (!ending) return [];
    const evidence = `probe:${block}:${shard.anchorId.slice(0, 16)}`;
    return [{ miner: peer.hotkey, ending, seconds, bytes: shard.bytes, reason, evidence }];
  });
  ports.transaction(() => {
    for (const { shard, verdict } of verdicts) {
      if (!verdict.suspect || !shard.place) continue;
      const evidence = `probe:${block}:${shard.anchorId.slice(0, 16)}`;
      ports.losses.report({ ...shard.place, reason: verdict.reason, evidence });
    }
    if (observations.length === 0) return;
    ports.standings.record({
      id: `retrieve:${block}`,
      task: 'retrieve',
      atMs: ports.clock.nowMs(),
      block,
      observations,
    });
  });
  for (const { peer, shard, reads, direct, verdict } of verdicts) {
    if (verdict.ending === 'passed' && reads.length === 1) continue;
    ports.log.warn('probe', { miner: peer.hotkey, shard: shard.anchorId, ...verdict, reads, direct });
  }
  const passed = observations.filter(({ ending }) => ending === 'passed').length;
  const report = {
    asked: probed.length,
    passed,
    failed: observations.length - passed,
    void: probed.length - observations.length,
  };
  if (probed.length > 0) ports.log.info('retrieve', { block, ...report });
  return report;
}

/** Fisher and Yates; an edge is not asked more often for standing first in the settings. */
function shuffled<T>(items: readonly T[], random: Random): T[] {
  const list = [...items];
  for (let last = list.length - 1; last > 0; last--) {
    const other = new DataView(random(4).slice().buffer).getUint32(0) % (last + 1);
    [list[last], list[other]] = [list[other] as T, list[last] as T];
  }
  return list;
}
