/**
 * Synthetic stores: miners with little or none of the tenant's user data get single uncoded shards of random bytes, so
 * that a new miner has something to prove and to be scored by. Who gets one follows from the hash of a finalized block,
 * over the eligible miners in order of their uids, so that anyone recomputes it; one draw is one batch. The bytes are the
 * key stream of a random seed: nobody can compute them, and we keep 32 bytes of each.
 */
import type { Kernel } from '#shared/codec/kernel.ts';
import type { Random } from '#shared/primitives/effects.ts';
import { type FileNumber, newOrderId, refOf } from '#shared/primitives/ids.ts';
import { anchorIdOf, anchorOf } from '#shared/proof/anchor.ts';
import { maskShard } from '#shared/proof/mask.ts';
import { pickMiners } from '#shared/proof/sample.ts';
import { MAX_HOLD_MS, MAX_SEGMENT_BYTES } from '#shared/wire/limits.ts';
import type { MinerPeer } from '#shared/wire/ports.ts';
import { endingOfStore } from '#validator/domain/store-outcome.ts';
import { syntheticBytes } from '#validator/domain/synthetic-size.ts';
import type { Ledger } from '#validator/ledger/ledger.ts';
import type { FinalizedBlocks, TenantPorts } from '#validator/ports.ts';
import type { Inventories, Observation, OwedShard, Standings } from '#validator/state/ports.ts';
import type { Synthetics } from '#validator/state/synthetics.ts';

/** Beyond so much of the tenant's user data a miner proves enough by it (`docs/decisions.md`). */
const ENOUGH_USER_BYTES = 64 * 2 ** 20;
/** Stores under way at a time: their shards are in memory, and the slowest must not hold up all others. */
const AT_ONCE = 4;
/** A miner's clock may be behind ours by as much. */
const HOLD_SLACK_MS = 60_000;
/** No file has this number: uploads count up from 1, and a ref has room for 2⁴⁰. */
const NO_FILE = (2 ** 40 - 1) as FileNumber;

export interface SyntheticSettings {
  /** Miners of one draw. */
  readonly miners: number;
  /** A draw every so many blocks. */
  readonly everyBlocks: number;
  readonly bytesPerDay: number;
  /** Blocks until a shard is dropped: ten epochs. */
  readonly lifeBlocks: number;
}

export interface SyntheticPorts
  extends Pick<TenantPorts, 'registrations' | 'directory' | 'miners' | 'minerUrl' | 'clock' | 'log'> {
  readonly blocks: Pick<FinalizedBlocks, 'newest'>;
  readonly synthetics: Synthetics;
  readonly inventories: Pick<Inventories, 'add' | 'remove' | 'head'>;
  readonly standings: Standings;
  readonly ledger: Pick<Ledger, 'keepReceipts'>;
  readonly transaction: <T>(work: () => T) => T;
  readonly kernel: Kernel;
  readonly random: Random;
}

export interface SyntheticReport {
  readonly eligible: number;
  readonly sent: number;
  readonly stored: number;
}

interface Outcome {
  readonly observation: Observation | undefined;
  /** When it was receipted. */
  readonly owed: OwedShard | undefined;
  readonly signed: Uint8Array | undefined;
  readonly peer: MinerPeer;
}

/** Undefined when no draw is due. */
export async function syntheticStore(
  ports: SyntheticPorts,
  settings: SyntheticSettings,
  signal: AbortSignal,
): Promise<SyntheticReport | undefined> {
  const { synthetics, clock, log } = ports;
  const block = ports.blocks.newest();
  if (block.number < synthetics.lastDraw('store') + settings.everyBlocks) return undefined;
  const eligible = await eligibleMiners(ports);
  signal.throwIfAborted();
  // Written before anything is sent: a crash voids the draw, and its shards are dropped as 'sent'.
  if (!synthetics.beginDraw('store', block.number)) return undefined;
  const picked = pickMiners(block.hash, eligible.length, settings.miners).map((at) => eligible[at] as MinerPeer);
  const queue = [...picked];
  const outcomes: Outcome[] = [];
  const work = async () => {
    for (let peer = queue.shift(); peer && !signal.aborted; peer = queue.shift()) {
      const bytes = syntheticBytes(ports.random);
      if (!synthetics.spend(bytes, settings.bytesPerDay, clock.nowMs())) return void queue.splice(0);
      outcomes.push(await storeOne(ports, settings, block.number, peer, bytes, signal));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  // What was cut short by our own end is no batch.
  signal.throwIfAborted();
  await ports.ledger.keepReceipts(outcomes.flatMap(({ signed }) => signed ?? []));
  count(ports, settings, block.number, outcomes);
  const stored = outcomes.filter(({ owed }) => owed).length;
  const report = { eligible: eligible.length, sent: outcomes.length, stored };
  log.info('synthetic-store', { block: block.number, ...report });
  return report;
}

/** In order of their uids: the registrations come so. Only miners that proved their address and have room. */
async function eligibleMiners(ports: SyntheticPorts): Promise<readonly MinerPeer[]> {
  const [registered, { miners: listed }] = await Promise.all([ports.registrations.read(), ports.directory.read()]);
  const open = new Set(
    listed
      .filter(({ accepting, freeBytes }) => accepting && freeBytes >= MAX_SEGMENT_BYTES)
      .map(({ hotkey }) => hotkey),
  );
  return registered.flatMap(({ hotkey, address, leftAt }) => {
    const url = ports.minerUrl(address);
    if (leftAt !== undefined || url === undefined || !open.has(hotkey)) return [];
    const userBytes = ports.inventories.head(hotkey).bytes - ports.synthetics.owedBytes(hotkey);
    return userBytes < ENOUGH_USER_BYTES ? [{ hotkey, url }] : [];
  });
}

async function storeOne(
  ports: SyntheticPorts,
  settings: SyntheticSettings,
  block: number,
  peer: MinerPeer,
  bytes: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const { clock, random, kernel, synthetics, miners, log } = ports;
  const seed = random(32);
  const shard = await maskShard(seed, new Uint8Array(bytes));
  const anchor = anchorOf(kernel, shard);
  const anchorId = anchorIdOf(anchor);
  synthetics.add({ anchorId, miner: peer.hotkey, bytes, seed, block: block + settings.lifeBlocks });
  const startedMs = clock.nowMs();
  // The longest hold there is: collection leaves it alone; it goes by an order of ours, long before that.
  const frame = {
    anchorId,
    ref: refOf(NO_FILE, 0),
    holdUntilMs: startedMs + MAX_HOLD_MS - HOLD_SLACK_MS,
    label: new Uint8Array(0),
    shard,
  };
  const receipt = await miners.putShard(peer, newOrderId(random), frame, signal);
  const seconds = (clock.nowMs() - startedMs) / 1000;
  const evidence = `store:${block}`;
  if (receipt.ok) {
    const owed: OwedShard = { anchorId, anchorType: 1, root: anchor.root, bytes, place: undefined };
    const observation: Observation = {
      ...{ miner: peer.hotkey, ending: 'passed', seconds, bytes, reason: 'passed', evidence },
    };
    return { peer, owed, observation, signed: receipt.value.signed };
  }
  const { code, message } = receipt.failure;
  const ending = endingOfStore(receipt.failure);
  log.debug('synthetic-not-stored', { miner: peer.hotkey, code, message });
  const observation = ending && { miner: peer.hotkey, ending, seconds, bytes, reason: code, evidence };
  return { peer, owed: undefined, observation, signed: undefined };
}

/** Everything of one draw, in one transaction: what is owed, and what it is worth. */
function count(ports: SyntheticPorts, settings: SyntheticSettings, block: number, outcomes: readonly Outcome[]): void {
  const observations = outcomes.flatMap(({ observation }) => observation ?? []);
  ports.transaction(() => {
    for (const { peer, owed } of outcomes) {
      if (!owed) continue;
      ports.inventories.add(peer.hotkey, owed);
      ports.synthetics.setState(owed.anchorId, 'owed', block + settings.lifeBlocks);
    }
    if (observations.length === 0) return;
    ports.standings.record({ id: `store:${block}`, task: 'store', atMs: ports.clock.nowMs(), block, observations });
  });
}
