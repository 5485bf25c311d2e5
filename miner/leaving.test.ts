import { rmSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { systemRandom } from '#shared/primitives/effects.ts';
import { newOrderId } from '#shared/primitives/ids.ts';
import { leavingIn } from './leaving.ts';
import { clientOf, KEYS, makeFolder, randomFrame, startLoopbackMiner } from './testing/loopback-miner.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

it('an announcement outlives a restart, is seen when somebody else writes it, and can be taken back', async () => {
  const folder = await makeFolder();
  folders.push(folder);
  let nowMs = 0;
  const leaving = leavingIn(folder, () => nowMs);
  expect(leaving.announced()).toBe(false);
  leavingIn(folder, () => nowMs).announce(true);
  expect(leavingIn(folder, () => nowMs).announced()).toBe(true);
  nowMs += 1000;
  expect(leaving.announced()).toBe(true);
  leaving.announce(false);
  expect(leaving.announced()).toBe(false);
});

it('a miner that leaves takes nothing new, serves what it has, and says so in its signed health', async () => {
  let leaves = false;
  const miner = await startLoopbackMiner({ leaving: () => leaves });
  const client = clientOf(KEYS.tenant, KEYS.tenant);
  const { signal } = new AbortController();
  try {
    const [kept, late] = [randomFrame(500), randomFrame(500)];
    expect((await client.putShard(miner.peer, newOrderId(systemRandom), kept, signal)).ok).toBe(true);
    expect(await client.health(miner.peer, signal)).toMatchObject({ ok: true, value: { draining: false } });
    leaves = true;
    expect(await client.putShard(miner.peer, newOrderId(systemRandom), late, signal)).toMatchObject({
      ok: false,
      failure: { code: 'busy', problem: 'draining' },
    });
    expect((await client.headShard(miner.peer, kept.anchorId, signal)).ok).toBe(true);
    expect(await client.health(miner.peer, signal)).toMatchObject({
      ok: true,
      value: { draining: true, leaving: true },
    });
  } finally {
    client.close();
    await miner.remove();
  }
});
