/**
 * Shard stores on real folders for the tests of `miner/store`: opened by hand, closed and removed after each test, with
 * a clock that can be set ahead.
 */
import { rm } from 'node:fs/promises';
import { afterEach } from 'vitest';
import { silentLog, systemRandom } from '#shared/primitives/effects.ts';
import { type AnchorId, type Hotkey, newOrderId, type OrderId } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { POR_ANCHOR_TYPE } from '#shared/proof/any-anchor.ts';
import type { DropOrder } from '#shared/proof/drop-order.ts';
import { parseDrop } from '#shared/proof/drop-receipt.ts';
import { SIGNATURE_BYTES } from '#shared/proof/statement.ts';
import { parseStore } from '#shared/proof/store-receipt.ts';
import { foldersOf } from '../store/folders.ts';
import { ShardStore, type StoreSettings } from '../store/shard-store.ts';
import {
  KEYS,
  kernel,
  makeFolder,
  NETWORK,
  type randomFrame,
  STORE_SETTINGS,
  shiftedClock,
  ZK,
} from './loopback-miner.ts';

export const TENANT = KEYS.tenant.hotkey;
export const OTHER = KEYS.otherTenant.hotkey;

const opened: ShardStore[] = [];
const roots: string[] = [];
export const clock = shiftedClock();

export async function openStore(root?: string, changes: Partial<StoreSettings> = {}, signer = KEYS.miner) {
  const folder = root ?? (await makeFolder());
  if (!roots.includes(folder)) roots.push(folder);
  const ports = { kernel, ...ZK, signer, network: NETWORK, clock, log: silentLog };
  const store = await ShardStore.open(ports, { ...STORE_SETTINGS, root: folder, ...changes });
  opened.push(store);
  return { store, root: folder, folders: foldersOf(folder) };
}
export async function closeStore(store: ShardStore) {
  opened.splice(opened.indexOf(store), 1);
  await store.close();
}
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  for (const root of roots.splice(0)) await rm(root, { recursive: true, force: true });
  clock.aheadMs = 0;
});

interface Sent {
  readonly tenant?: Hotkey;
  readonly order?: OrderId;
  readonly holdUntilMs?: number;
}

export async function put(store: ShardStore, frame: ReturnType<typeof randomFrame>, sent: Sent = {}) {
  const { tenant = TENANT, order = newOrderId(systemRandom), holdUntilMs = frame.holdUntilMs } = sent;
  const bytes = frame.shard.length;
  const reservation = store.reserve(tenant, bytes);
  if (!reservation.ok) return reservation;
  try {
    const incoming = await store.beginShard({ anchorId: frame.anchorId, bytes, type: POR_ANCHOR_TYPE });
    await incoming.write(frame.shard);
    const arrived = await incoming.finish();
    if (!arrived.ok) return arrived;
    const { anchorId, ref, label } = frame;
    const offer = { tenant, caller: KEYS.edge.hotkey, order, anchorId, bytes, ref, holdUntilMs, label };
    return await store.commit(offer, arrived.value, reservation.value);
  } finally {
    reservation.value.release();
  }
}

function statementOf(signed: Uint8Array) {
  const parsed = parseStore(NETWORK, signed.subarray(0, signed.length - SIGNATURE_BYTES));
  if (!parsed.ok) throw new Error(parsed.failure.message);
  return parsed.value;
}
export async function receiptOf(outcome: ReturnType<typeof put>) {
  const settled = await outcome;
  if (!settled.ok) throw new Error(settled.failure.message);
  return statementOf(settled.value);
}
export const codeOf = async (outcome: ReturnType<typeof put>) => {
  const settled = await outcome;
  return settled.ok ? 'stored' : settled.failure.code;
};

export async function bytesOf(store: ShardStore, anchorId: AnchorId, tenant: Hotkey = TENANT) {
  const shard = await store.openShard(tenant, anchorId);
  if (!shard.ok) return shard.failure.code;
  try {
    return new Uint8Array(await shard.value.handle.readFile());
  } finally {
    await shard.value.handle.close();
  }
}

export function order(store: ShardStore, anchorIds: readonly AnchorId[], changes: Partial<DropOrder> = {}) {
  const whole: DropOrder = {
    tenant: TENANT,
    miner: KEYS.miner.hotkey,
    order: newOrderId(systemRandom),
    issuedAtMs: clock.nowMs(),
    action: 'drop',
    reason: 0,
    anchorIds,
    ...changes,
  };
  const outcome = store.carryOut(whole, sha256(new TextEncoder().encode(JSON.stringify(whole))));
  if (!outcome.ok) return outcome.failure.code;
  const parsed = parseDrop(NETWORK, outcome.value.subarray(0, outcome.value.length - SIGNATURE_BYTES));
  if (!parsed.ok) throw new Error(parsed.failure.message);
  return parsed.value;
}
export const statesOf = (receipt: ReturnType<typeof order>) =>
  typeof receipt === 'string' ? receipt : receipt.items.map((item) => item.state);
