/** What holds for every `NetworkHistory`: the contract of `shared/index/network-ports.ts` as tests. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NetworkHistory, Span } from '#shared/index/network-ports.ts';
import { minerKey, newDetail, newMinerNow, newMinerRow, newNow, newSnapshot } from './network-rows.ts';

export interface NetworkUnderTest {
  connect(): NetworkHistory;
  nowMs(): number;
  advance(ms: number): void;
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;
const KEEP_MS = 720 * HOUR_MS;
const all = (change: Partial<Span> = {}): Span => ({
  ...{ fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, offset: 0, limit: 1000 },
  ...change,
});

export function describeNetworkHistory(name: string, open: () => Promise<NetworkUnderTest>): void {
  describe(name, () => {
    let world: NetworkUnderTest;
    let writer: NetworkHistory;
    let reader: NetworkHistory;
    beforeAll(async () => {
      world = await open();
      writer = world.connect();
      reader = world.connect();
    });
    afterAll(() => world.close());

    it('is empty before anything was written', async () => {
      expect(await reader.minerRows(all())).toEqual([]);
      expect(await reader.minerRows(all(), minerKey(1))).toEqual([]);
      expect(await reader.tierRows(all())).toEqual([]);
      expect(await reader.networkRows(all())).toEqual([]);
      expect(await reader.readNow()).toBeUndefined();
      expect(await reader.minersNow()).toEqual({ takenAtMs: 0, miners: [] });
      expect(await reader.minerDetail(minerKey(1))).toBeUndefined();
    });

    it('gives back what it was given, newest first, by span, offset and limit', async () => {
      const start = world.nowMs();
      const sizes = [3, 200, 64, 1];
      for (const [i, miners] of sizes.entries()) await writer.append(newSnapshot(start + i * HOUR_MS, miners), KEEP_MS);
      const newest = start + 3 * HOUR_MS;
      const expected = sizes
        .map((miners, i) => newSnapshot(start + i * HOUR_MS, miners))
        .toReversed()
        .map(({ takenAtMs, ...snapshot }) => ({
          network: [{ takenAtMs, ...snapshot.network }],
          tiers: snapshot.tiers.map((row) => ({ takenAtMs, ...row })),
          miners: snapshot.miners.map((row) => ({ takenAtMs, ...row })),
        }));
      const rows = {
        network: expected.flatMap(({ network }) => network),
        tiers: expected.flatMap(({ tiers }) => tiers),
        miners: expected.flatMap(({ miners }) => miners),
      };
      const spans = [
        {},
        { limit: 2 },
        { offset: 1, limit: 3 },
        { offset: 63, limit: 130 },
        { offset: 267 },
        { offset: 999 },
      ];
      for (const { offset = 0, limit = 1000 } of spans) {
        const span = all({ offset, limit });
        expect(await reader.networkRows(span)).toEqual(rows.network.slice(offset, offset + limit));
        expect(await reader.tierRows(span)).toEqual(rows.tiers.slice(offset, offset + limit));
        expect(await reader.minerRows(span)).toEqual(rows.miners.slice(offset, offset + limit));
        const ofOne = rows.miners.filter(({ hotkey }) => hotkey === minerKey(2)).slice(offset, offset + limit);
        expect(await reader.minerRows(span, minerKey(2))).toEqual(ofOne);
      }
      const between = all({ fromMs: start + HOUR_MS, toMs: newest - 1 });
      expect((await reader.networkRows(between)).map(({ takenAtMs }) => takenAtMs)).toEqual([
        start + 2 * HOUR_MS,
        start + HOUR_MS,
      ]);
      expect(await reader.minerRows(all({ fromMs: newest, toMs: newest }), minerKey(0))).toEqual([
        { takenAtMs: newest, ...newMinerRow(0) },
      ]);
      expect(await reader.minerRows(all(), minerKey(9999))).toEqual([]);
    });

    it('replaces a snapshot of the same moment', async () => {
      world.advance(10 * HOUR_MS);
      const takenAtMs = world.nowMs();
      await writer.append(newSnapshot(takenAtMs, 5), KEEP_MS);
      await writer.append(newSnapshot(takenAtMs, 4), KEEP_MS);
      const span = all({ fromMs: takenAtMs });
      expect(await reader.minerRows(span)).toHaveLength(4);
      expect(await reader.networkRows(span)).toHaveLength(1);
    });

    it('keeps no more than it is told to', async () => {
      const start = world.nowMs() + HOUR_MS;
      for (let i = 0; i < 30; i++) await writer.append(newSnapshot(start + i * 1000, 2), 10_000);
      const times = (await reader.networkRows(all())).map(({ takenAtMs }) => takenAtMs);
      expect(times).toEqual(Array.from({ length: 10 }, (_, i) => start + (29 - i) * 1000));
      expect(await reader.minerRows(all(), minerKey(1))).toHaveLength(10);
      expect(await reader.minerRows(all())).toHaveLength(20);
      expect(await reader.tierRows(all({ limit: 3, offset: 1 }))).toHaveLength(3);
    });

    it('shows one whole state of now while another is written', async () => {
      await writer.publishNow(
        newNow(1000, 120),
        Array.from({ length: 120 }, (_, number) => newMinerNow(number)),
      );
      expect(await reader.readNow()).toEqual(newNow(1000, 120));
      const { takenAtMs, miners } = await reader.minersNow();
      expect([takenAtMs, miners]).toEqual([1000, Array.from({ length: 120 }, (_, number) => newMinerNow(number))]);
      let writing = true;
      const write = async () => {
        for (let size = 1; size < 12; size++) {
          await writer.publishNow(
            newNow(size, size),
            Array.from({ length: size }, (_, number) => newMinerNow(number)),
          );
        }
        writing = false;
      };
      const read = async () => {
        while (writing) {
          const seen = await reader.minersNow();
          expect([seen.takenAtMs, 120].includes(seen.miners.length)).toBe(true);
        }
      };
      await Promise.all([write(), read()]);
      await writer.publishNow(newNow(5, 0), []);
      expect(await reader.minersNow()).toEqual({ takenAtMs: 5, miners: [] });
    });

    it('tells of each miner what was told last, and for as long as it was said', async () => {
      await writer.publishDetails([newDetail(10_000, 1), newDetail(10_000, 2), newDetail(10_000, 3)], HOUR_MS);
      await writer.publishDetails([newDetail(20_000, 2)], 3 * HOUR_MS);
      await writer.publishDetails([], HOUR_MS);
      expect(await reader.minerDetail(minerKey(1))).toEqual(newDetail(10_000, 1));
      expect(await reader.minerDetail(minerKey(2))).toEqual(newDetail(20_000, 2));
      world.advance(2 * HOUR_MS);
      expect(await reader.minerDetail(minerKey(1))).toBeUndefined();
      expect(await reader.minerDetail(minerKey(2))).toEqual(newDetail(20_000, 2));
    });

    it('knows how much memory the index takes', async () => {
      expect(await reader.indexBytes()).toBeGreaterThan(0);
    });
  });
}
