/**
 * Publishes the directory of miners that edges place shards on. A miner is offered new shards only after it proved,
 * by `hello`, that the registered address is its own, and while its health says that it has room: else a foreign
 * registration could aim the network at a victim. Nor is it offered more than its tier allows (`tier-allowance.ts`).
 * Miners that fail stay listed, so that what they hold is still read, and so do those that lost their place until their
 * departure is settled; a hotkey that never proved to be a miner is not listed at all. The snapshot is signed.
 */
import type { DirectorySnapshot, MinerEntry } from '#shared/index/ports.ts';
import { sealSnapshot } from '#shared/index/sealed-directory.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { MinerHealth, MinerPeer } from '#shared/wire/ports.ts';
import type { RegisteredMiner, TenantPorts } from '#validator/ports.ts';

/** An address is proven anew after this long: it may have been given to somebody else. */
const PROOF_MS = 10 * 60_000;
/** An unchanged directory is published again after this long, so that its age says whether the tenant lives. */
const REPUBLISH_MS = 30_000;
/** Free bytes that move by less than this share of the capacity are no change worth a write. */
const FREE_BYTES_STEP = 0.01;

/** An address that proves nothing for so long is asked more rarely: whoever is there may not be a miner at all. */
const PATIENCE_MS = 2 * 60_000;
const RARELY_MS = 5 * 60_000;

/** What earlier runs learned; made once, kept by the caller. */
export interface PublishState {
  readonly unproven: Map<Hotkey, { readonly url: string; readonly sinceMs: number; readonly askedMs: number }>;
  readonly proofs: Map<Hotkey, { readonly url: string; readonly provenAtMs: number }>;
  published: DirectorySnapshot | undefined;
}

export const newPublishState = (): PublishState => ({
  unproven: new Map(),
  proofs: new Map(),
  published: undefined,
});

type Ports = Pick<
  TenantPorts,
  'registrations' | 'directory' | 'miners' | 'minerUrl' | 'signer' | 'network' | 'clock' | 'log'
> & {
  /** Bytes that a miner may still be entrusted with under its tier; absent: as many as it has room for. */
  readonly allowance?: (miner: Hotkey) => number;
};

export async function publishMiners(ports: Ports, state: PublishState, signal: AbortSignal): Promise<void> {
  const registered = await ports.registrations.read();
  const before = new Map(
    (state.published ?? (await ports.directory.read())).miners.map((entry) => [entry.hotkey, entry]),
  );
  const examined = await Promise.all(
    registered.map(async (miner) => ({ miner, seen: await examine(ports, state, miner, signal) })),
  );
  const listed = examined.filter(({ miner, seen }) => seen !== undefined || before.has(miner.hotkey));
  const numbers = await ports.directory.numberOf(listed.map(({ miner }) => miner.hotkey));
  const entries = listed.map(({ miner, seen }): MinerEntry | undefined => {
    const { hotkey, coldkey, address } = miner;
    const number = numbers.get(hotkey);
    if (number === undefined) return undefined;
    const room = seen?.freeBytes ?? before.get(hotkey)?.freeBytes ?? 0;
    const freeBytes = Math.min(room, ports.allowance?.(hotkey) ?? room);
    const capacityBytes = seen?.capacityBytes ?? before.get(hotkey)?.capacityBytes ?? 0;
    const accepting = miner.leftAt === undefined && seen !== undefined && !seen.draining && freeBytes > 0;
    return { number, hotkey, coldkey, address, freeBytes, capacityBytes, accepting };
  });
  signal.throwIfAborted();
  const miners = entries.filter((entry) => entry !== undefined);
  const snapshot: DirectorySnapshot = { takenAtMs: ports.clock.nowMs(), miners };
  if (!worthPublishing(state.published, snapshot)) return;
  await ports.directory.publish(sealSnapshot(ports, snapshot));
  report(ports, state.published, snapshot);
  state.published = snapshot;
}

/** The health of a miner whose address is proven; undefined when either is wanting. */
async function examine(
  ports: Ports,
  state: PublishState,
  miner: RegisteredMiner,
  signal: AbortSignal,
): Promise<MinerHealth | undefined> {
  const url = ports.minerUrl(miner.address);
  if (url === undefined) return undefined;
  const peer: MinerPeer = { hotkey: miner.hotkey, url };
  const nowMs = ports.clock.nowMs();
  const proof = state.proofs.get(miner.hotkey);
  if (!proof || proof.url !== peer.url || nowMs - proof.provenAtMs > PROOF_MS) {
    state.proofs.delete(miner.hotkey);
    const failing = state.unproven.get(miner.hotkey);
    const sinceMs = failing?.url === url ? failing.sinceMs : nowMs;
    if (failing?.url === url && nowMs - sinceMs > PATIENCE_MS && nowMs - failing.askedMs < RARELY_MS) return undefined;
    const hello = await ports.miners.hello(peer, miner.address, signal);
    if (!hello.ok) {
      state.unproven.set(miner.hotkey, { url, sinceMs, askedMs: nowMs });
      ports.log.debug('address-not-proven', { url: peer.url, ...hello.failure });
      return undefined;
    }
    state.unproven.delete(miner.hotkey);
    state.proofs.set(miner.hotkey, { url: peer.url, provenAtMs: nowMs });
  }
  const health = await ports.miners.health(peer, signal);
  if (health.ok) return health.value;
  // Whoever answers there next has to prove the address again.
  state.proofs.delete(miner.hotkey);
  ports.log.debug('miner-unwell', { url: peer.url, ...health.failure });
  return undefined;
}

function worthPublishing(before: DirectorySnapshot | undefined, now: DirectorySnapshot): boolean {
  if (!before || now.takenAtMs - before.takenAtMs >= REPUBLISH_MS) return true;
  if (before.miners.length !== now.miners.length) return true;
  const old = new Map(before.miners.map((entry) => [entry.hotkey, entry]));
  return now.miners.some((entry) => {
    const was = old.get(entry.hotkey);
    return !was || changed(was, entry);
  });
}

const changed = (a: MinerEntry, b: MinerEntry): boolean =>
  a.number !== b.number ||
  a.coldkey !== b.coldkey ||
  a.address.ip !== b.address.ip ||
  a.address.port !== b.address.port ||
  a.accepting !== b.accepting ||
  a.capacityBytes !== b.capacityBytes ||
  Math.abs(a.freeBytes - b.freeBytes) > FREE_BYTES_STEP * b.capacityBytes;

function report(ports: Ports, before: DirectorySnapshot | undefined, now: DirectorySnapshot): void {
  const count = (snapshot: DirectorySnapshot | undefined) => snapshot?.miners.filter((m) => m.accepting).length;
  const accepting = count(now);
  if (accepting !== count(before)) ports.log.info('directory-published', { miners: now.miners.length, accepting });
}
