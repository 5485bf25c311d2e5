/**
 * The index bears a break at every request of every change: afterwards the file is whole or not there, counters agree
 * with lists, and asking again tells the truth. Late writers, whose lease ran out, do no harm.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FileIndex, FileRecord } from '#shared/index/ports.ts';
import { IndexUnavailable } from '#shared/index/ports.ts';
import { expectConsistent, newFile, newOwner, newSlot, stageFile, storeFile } from '#shared/testing/index-files.ts';
import { stageRecoding } from '#shared/testing/index-suite-recoding.ts';
import { type FaultyProxy, openFaultyProxy } from './testing/faulty-proxy.ts';
import { type OpenIndex, openIndex } from './testing/open-index.ts';

let world: OpenIndex;
let proxy: FaultyProxy;
/** Talks through the proxy. */
let faulty: FileIndex;
/** Talks to the gateway. */
let sound: FileIndex;

beforeAll(async () => {
  world = await openIndex({ virtualTime: true });
  proxy = await openFaultyProxy(world.gateway.url);
  faulty = world.connect(proxy.url).files;
  sound = world.connect().files;
});
afterEach(() => proxy.setFate(() => 'pass'));
afterAll(async () => {
  await proxy?.close();
  await world?.close();
});

const fresh = (change: Partial<FileRecord> = {}) => newFile(world.nowMs(), change);
/** A file with everything that has an entry of its own. */
const laden = (change: Partial<FileRecord> = {}) =>
  fresh({
    name: 'n',
    expiresAtMs: world.nowMs() + 3600_000,
    bytes: 200,
    segmentBytes: 10,
    segments: 20,
    n: 40,
    ...change,
  });

interface Break {
  /** The request that breaks, from 0; undefined when the change ended before. */
  readonly at: number;
  readonly how: 'refuse' | 'lose';
}

/** Runs `scenario` once for every request that `change` makes and both ways to break it. */
async function atEveryRequest(scenario: (broken: Break) => Promise<boolean>): Promise<number> {
  let breaks = 0;
  for (const how of ['refuse', 'lose'] as const) {
    for (let at = 0; await scenario({ at, how }); at++) breaks++;
  }
  return breaks;
}

/** The change's outcome, or undefined when it broke off; nothing but IndexUnavailable may come of a break. */
async function during<T>({ at, how }: Break, change: () => Promise<T>): Promise<{ value?: T; reached: boolean }> {
  proxy.setFate((i) => (i === at ? how : 'pass'));
  try {
    const value = await change();
    return { value, reached: proxy.seen > at };
  } catch (error) {
    expect(error).toBeInstanceOf(IndexUnavailable);
    return { reached: true };
  } finally {
    proxy.setFate(() => 'pass');
  }
}

describe('a commit that breaks at any request', () => {
  it.each([
    ['of a small file', () => fresh({ name: 'n' })],
    ['of a large file', laden],
  ])('is whole or not there, and done when asked again: %s', async (_, make) => {
    const breaks = await atEveryRequest(async (broken) => {
      const file = await stageFile(faulty, make());
      const { value, reached } = await during(broken, () => faulty.commitFile(file));
      const seen = await expectConsistent(sound, file.owner);
      if (value) expect(value).toEqual({ outcome: 'stored', file });
      if (seen.length > 0) expect(seen).toEqual([file]);
      expect(await faulty.commitFile(file)).toEqual({ outcome: 'stored', file });
      expect(await expectConsistent(sound, file.owner)).toEqual([file]);
      return reached;
    });
    expect(breaks).toBeGreaterThanOrEqual(4);
  });

  it('does not keep another client from storing the same bytes', async () => {
    await atEveryRequest(async (broken) => {
      const file = await stageFile(faulty, laden());
      const { reached } = await during(broken, () => faulty.commitFile(file));
      const again = await stageFile(sound, laden({ owner: file.owner, cid: file.cid }));
      const outcome = await sound.commitFile(again);
      const [kept] = await expectConsistent(sound, file.owner);
      expect(outcome).toMatchObject({ file: { number: kept?.number } });
      // The first one asks again, late: it learns which file is there.
      expect(await faulty.commitFile(file)).toMatchObject({ file: { number: kept?.number } });
      expect(await expectConsistent(sound, file.owner)).toHaveLength(1);
      return reached;
    });
  });

  it('whose bytes are there already leaves nothing of its own', async () => {
    const breaks = await atEveryRequest(async (broken) => {
      const first = await storeFile(sound, laden());
      const later = first.expiresAtMs + 1000;
      const again = await stageFile(faulty, laden({ owner: first.owner, cid: first.cid, expiresAtMs: later }));
      const { reached } = await during(broken, () => faulty.commitFile(again));
      const kept = { ...first, expiresAtMs: later };
      expect(await faulty.commitFile(again)).toEqual({ outcome: 'already', file: kept });
      expect(await expectConsistent(sound, first.owner)).toEqual([kept]);
      expect(await sound.uploadOpen(again.number)).toBe(false);
      return reached;
    });
    expect(breaks).toBeGreaterThanOrEqual(8);
  });
});

describe('staging that breaks at any request', () => {
  it('can be done again, or abandoned by the tenant', async () => {
    await atEveryRequest(async (broken) => {
      const file = laden();
      const { value, reached } = await during(broken, () => stageFile(faulty, file));
      if (value) expect(await faulty.commitFile(value)).toMatchObject({ outcome: 'stored' });
      const left = await sound.expiredUploads(world.nowMs() + 48 * 3600_000, 100);
      for (const number of left) await sound.abandonUpload(number);
      expect(await expectConsistent(sound, file.owner)).toHaveLength(value ? 1 : 0);
      return reached;
    });
  });
});

describe('a deletion that breaks at any request', () => {
  it('happened or did not, and is counted once', async () => {
    const breaks = await atEveryRequest(async (broken) => {
      const file = await storeFile(sound, laden());
      const kept = await storeFile(sound, fresh({ owner: file.owner }));
      const { value, reached } = await during(broken, () => faulty.deleteFile(file, 'deleted'));
      const there = (await expectConsistent(sound, file.owner)).length === 2;
      if (value !== undefined) expect(there).toBe(false);
      expect(await faulty.deleteFile(file, 'deleted')).toBe(there);
      expect(await expectConsistent(sound, file.owner)).toEqual([kept]);
      expect(await sound.findByName(file.owner, 'n')).toBeUndefined();
      expect(await sound.deletion(file.owner, file.cid)).toMatchObject({ shards: 20 * 40 });
      const { items } = await sound.tombstones(undefined, 1000);
      expect(items.filter(({ number }) => number === file.number)).toHaveLength(1);
      return reached;
    });
    expect(breaks).toBeGreaterThanOrEqual(4);
  });
  it('is settled in the end', async () => {
    await atEveryRequest(async (broken) => {
      const file = await storeFile(sound, laden());
      await sound.deleteFile(file, 'deleted');
      const { reached } = await during(broken, () => faulty.settleTombstone(file.number));
      await faulty.settleTombstone(file.number);
      expect(await sound.readAnyFile(file.number)).toBeUndefined();
      return reached;
    });
  });
});

describe('the switch of a re-coding that breaks at any request', () => {
  it('leaves the file as it was or re-coded, and is done when asked again', async () => {
    const breaks = await atEveryRequest(async (broken) => {
      const file = await storeFile(sound, laden());
      const recoding = await stageRecoding(faulty, file, world.nowMs() + 3600_000);
      const recoded = { ...file, ...recoding };
      const { value, reached } = await during(broken, () => faulty.replaceFile(file, recoding));
      const [now] = await expectConsistent(sound, file.owner);
      expect(value ? [recoded] : [file, recoded]).toContainEqual(now);
      expect(await faulty.replaceFile(file, recoding)).toBe(true);
      expect(await expectConsistent(sound, file.owner)).toEqual([recoded]);
      const { items } = await sound.tombstones(undefined, 1000);
      expect(items.filter(({ number }) => number === file.number)).toMatchObject([{ reason: 'recoded' }]);
      expect(items.some(({ number }) => number === recoding.number)).toBe(false);
      return reached;
    });
    expect(breaks).toBeGreaterThanOrEqual(6);
  });
  it('does not bring a file back that is deleted afterwards', async () => {
    await atEveryRequest(async (broken) => {
      const file = await storeFile(sound, laden());
      const recoding = await stageRecoding(faulty, file, world.nowMs() + 3600_000);
      const { reached } = await during(broken, () => faulty.replaceFile(file, recoding));
      expect(await sound.deleteFile(file, 'deleted')).toBe(true);
      const replaced = await faulty.replaceFile(file, recoding).catch(() => false);
      if (!replaced) await faulty.abandonUpload(recoding.number);
      expect(await expectConsistent(sound, file.owner)).toEqual([]);
      expect(await sound.uploadOpen(recoding.number)).toBe(false);
      return reached;
    });
  });
});

describe('a change that breaks at any request', () => {
  it('happened or did not, and is done when asked again', async () => {
    await atEveryRequest(async (broken) => {
      const file = await storeFile(sound, laden());
      const change = { name: 'other', expiresAtMs: file.expiresAtMs + 5 };
      const { reached } = await during(broken, () => faulty.changeFile(file, change));
      const [now] = await expectConsistent(sound, file.owner);
      expect([file, { ...file, ...change }]).toContainEqual(now);
      expect(await faulty.changeFile(file, change)).toEqual({ ...file, ...change });
      expect(await expectConsistent(sound, file.owner)).toEqual([{ ...file, ...change }]);
      expect(await sound.findByName(file.owner, 'n')).toBeUndefined();
      return reached;
    });
  });
  it('of a slot leaves the old one or the new one', async () => {
    await atEveryRequest(async (broken) => {
      const file = await storeFile(sound, laden());
      const [, before] = (await sound.readSegments(file, 17, 1))[0]?.slots ?? [];
      const slot = newSlot();
      if (!before) throw new Error('no slot');
      const { reached } = await during(broken, () => faulty.replaceSlot(file.number, 17, 1, before, slot));
      const [, after] = (await sound.readSegments(file, 17, 1))[0]?.slots ?? [];
      expect([before, slot]).toContainEqual(after);
      return reached;
    });
  });
});

describe('a writer that comes through after its lease ended', () => {
  /** Holds the i-th request of `change` back until the returned function is called. */
  function holdBack<T>(
    i: number,
    change: () => Promise<T>,
  ): { done: Promise<T>; held: Promise<void>; release(): void } {
    let release = () => {};
    let arrived = () => {};
    const holdUntil = new Promise<void>((resolve) => {
      release = resolve;
    });
    const held = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    proxy.setFate((each) => {
      if (each !== i) return 'pass';
      arrived();
      return { holdUntil };
    });
    return { done: change(), held, release };
  }

  it('with a commit yields to the file that was stored meanwhile', async () => {
    const owner = newOwner();
    const first = await stageFile(faulty, laden({ owner }));
    // Request 0 takes the lease, request 1 is the switch (there are no other files to look at).
    const late = holdBack(1, () => faulty.commitFile(first));
    await late.held;
    world.advance(11_000);
    const second = await storeFile(sound, laden({ owner, cid: first.cid }));
    late.release();
    expect(await late.done).toEqual({ outcome: 'already', file: second });
    expect(await expectConsistent(sound, owner)).toEqual([second]);
  });

  it('with a deletion counts it once', async () => {
    const file = await storeFile(sound, laden({ name: 'm' }));
    // Beside another file, so that a second count shows.
    const kept = await storeFile(sound, laden({ owner: file.owner }));
    // Request 0 takes the lease, request 1 deletes.
    const late = holdBack(1, () => faulty.deleteFile(file, 'deleted'));
    await late.held;
    world.advance(11_000);
    expect(await sound.deleteFile(file, 'deleted')).toBe(true);
    late.release();
    expect(await late.done).toBe(false);
    expect(await expectConsistent(sound, file.owner)).toEqual([kept]);
  });

  it('with the switch of a re-coding does not bring a deleted file back', async () => {
    const file = await storeFile(sound, laden());
    const kept = await storeFile(sound, fresh({ owner: file.owner }));
    const recoding = await stageRecoding(faulty, file, world.nowMs() + 3600_000);
    // Request 0 takes the leases, request 1 reads the places in lists, request 2 is the switch.
    const late = holdBack(2, () => faulty.replaceFile(file, recoding));
    await late.held;
    world.advance(11_000);
    expect(await sound.deleteFile(file, 'deleted')).toBe(true);
    late.release();
    expect(await late.done).toBe(false);
    expect(await expectConsistent(sound, file.owner)).toEqual([kept]);
    expect(await sound.readFile(recoding.number)).toBeUndefined();
  });

  it('with the commit that it took for lost and sent again is counted once', async () => {
    const file = await stageFile(faulty, laden());
    // The switch is held back until its client has given up and asked again.
    const late = holdBack(1, () => faulty.commitFile(file));
    await late.held;
    world.advance(11_000);
    proxy.setFate(() => 'pass');
    expect(await faulty.commitFile(file)).toEqual({ outcome: 'stored', file });
    late.release();
    expect(await late.done).toMatchObject({ outcome: 'stored' });
    expect(await expectConsistent(sound, file.owner)).toEqual([file]);
  });
});
