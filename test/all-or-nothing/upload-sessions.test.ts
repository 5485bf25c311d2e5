/**
 * Uploads by parts: segments of 2 KiB, two of them a part and to a chunk of the index, so that several of each take no
 * time. Parts come out of order, so that the file's hash has to be proven by reading back.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { abortUpload, completeUpload } from '#edge/flows/uploads/complete-upload.ts';
import { openUpload } from '#edge/flows/uploads/open-upload.ts';
import { storePart } from '#edge/flows/uploads/store-part.ts';
import { pieceSource } from '#edge/testing/sources.ts';
import type { FileRecord } from '#shared/index/ports.ts';
import type { UploadSession } from '#shared/index/upload-ports.ts';
import { testBytes } from '#shared/testing/transfer-world.ts';
import { CHIEF_FAULTS, FAULTS } from './effect-gate.ts';
import { atEveryPoint } from './every-point.ts';
import { type Worker, World } from './world.ts';

/** Hundreds of changes a test: seconds, and more on a busy machine. */
vi.setConfig({ testTimeout: 120_000 });

vi.mock('#shared/codec/segment.ts', async (original) => ({
  ...(await original<typeof import('#shared/codec/segment.ts')>()),
  SEGMENT_BYTES: 2048,
}));
vi.mock('#edge/flows/uploads/part-plan.ts', async (original) => ({
  ...(await original<typeof import('#edge/flows/uploads/part-plan.ts')>()),
  PART_UNIT_BYTES: 64,
}));
vi.mock('#shared/index/records.ts', async (original) => ({
  ...(await original<typeof import('#shared/index/records.ts')>()),
  segmentsPerChunk: () => 2,
}));

const PART_BYTES = 4096;
const bytes = testBytes(PART_BYTES + 100);
const { signal } = new AbortController();
const unanswered = () => undefined;

let world: World;
beforeAll(async () => {
  world = await World.open(3);
});
afterAll(() => world?.close());

async function open({ ports }: Worker): Promise<UploadSession> {
  const opened = await openUpload(ports, { owner: world.owner, ttlMs: 0, name: 'n', partBytes: PART_BYTES });
  if (!opened.ok || !('session' in opened.value)) throw new Error('not opened');
  return opened.value.session;
}

async function put({ ports }: Worker, session: UploadSession, number: number): Promise<void> {
  const state = await ports.uploads.readUpload(session.number);
  const part = bytes.subarray((number - 1) * PART_BYTES, number * PART_BYTES);
  const input = { number, source: pieceSource(part), expectedBytes: part.length, signal };
  const stored = state && (await storePart(ports, state, input));
  if (!stored?.ok) throw new Error(stored?.failure.message ?? 'no such upload');
}

/** What a client does that goes on with an upload, wherever it stands. */
async function resume(worker: Worker, session: UploadSession): Promise<FileRecord | undefined> {
  const { uploads } = worker.ports;
  const there = (await uploads.listParts(session.number, 1, 10)).map((part) => part.number);
  const state = await uploads.readUpload(session.number);
  if (state && !state.end) for (const number of [2, 1]) if (!there.includes(number)) await put(worker, session, number);
  return await complete(worker, session);
}

/** The file when the answer said that it is stored. */
async function complete({ ports }: Worker, session: UploadSession): Promise<FileRecord | undefined> {
  const state = await ports.uploads.readUpload(session.number);
  const done = state && (await completeUpload(ports, state, { bytes: bytes.length, signal }));
  return done?.ok && 'file' in done.value ? done.value.file : undefined;
}

async function abort({ ports }: Worker, session: UploadSession): Promise<boolean> {
  const state = await ports.uploads.readUpload(session.number);
  return state !== undefined && (await abortUpload(ports, state)).ok;
}

const belief = (file: FileRecord | undefined) =>
  ({ bytes, is: file ? 'there' : 'unknown', states: [{ name: 'n' }] }) as const;

describe.each(FAULTS)('an upload by parts to which this happens at any point (%s)', (fault) => {
  it('leaves the whole file or nothing', async () => {
    const points = await atEveryPoint(world, fault, {
      async act(_, gate) {
        const worker = world.worker(gate);
        const file = await open(worker)
          .then((session) => resume(worker, session))
          .catch(unanswered);
        return [belief(file)];
      },
    });
    expect(points).toBeGreaterThan(9);
  });
});

describe.each(CHIEF_FAULTS)('an upload by parts to which this happens at any point (%s)', (fault) => {
  it('is gone on with by another Worker, and is there then', async () => {
    await atEveryPoint(world, fault, {
      prepare: () => open(world.worker()),
      async act(_, gate, session) {
        await resume(world.worker(gate), session).catch(unanswered);
        await world.settled();
        return [belief(await resume(world.worker(), session))];
      },
    });
  });

  it('does not harm another completion of it at the same time', async () => {
    await atEveryPoint(world, fault, {
      async prepare() {
        const session = await open(world.worker());
        for (const number of [2, 1]) await put(world.worker(), session, number);
        return session;
      },
      async act(_, gate, session) {
        const [, file] = await Promise.all([
          complete(world.worker(gate), session).catch(unanswered),
          complete(world.worker(), session).catch(unanswered),
        ]);
        return [belief(file ?? (await complete(world.worker(), session)))];
      },
    });
  });

  it('that is completed and aborted at the same time is whole or gone, as was answered', async () => {
    await atEveryPoint(world, fault, {
      async prepare() {
        const session = await open(world.worker());
        for (const number of [1, 2]) await put(world.worker(), session, number);
        return session;
      },
      async act(_, gate, session) {
        const [file, aborted] = await Promise.all([
          complete(world.worker(gate), session).catch(unanswered),
          abort(world.worker(), session).catch(unanswered),
        ]);
        expect(file !== undefined && aborted === true).toBe(false);
        const later = file ?? (aborted ? undefined : await complete(world.worker(), session));
        return [{ ...belief(later), is: aborted ? 'gone' : 'there' }];
      },
    });
  });

  it('and that is aborted leaves nothing', async () => {
    await atEveryPoint(world, fault, {
      async prepare() {
        const session = await open(world.worker());
        for (const number of [1, 2]) await put(world.worker(), session, number);
        return session;
      },
      async act(_, gate, session) {
        await abort(world.worker(gate), session).catch(unanswered);
        return [{ bytes, is: 'gone' }];
      },
    });
  });

  it('of which a part is sent again meanwhile is what was completed', async () => {
    await atEveryPoint(world, fault, {
      async prepare() {
        const session = await open(world.worker());
        for (const number of [1, 2]) await put(world.worker(), session, number);
        return session;
      },
      async act(_, gate, session) {
        await Promise.all([
          put(world.worker(gate), session, 2).catch(unanswered),
          complete(world.worker(), session).catch(unanswered),
        ]);
        return [belief(await complete(world.worker(), session))];
      },
    });
  });
});
