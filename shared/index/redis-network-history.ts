/**
 * `NetworkHistory` over Redis. A snapshot is pages of miners' rows, one record of network and tiers, and each miner's
 * row once more in a series of its own (so that one miner's past costs no other's); it counts once its entry stands in
 * the list of snapshots. Everything carries an expiry, so that nothing grows without bound, whoever leaves. Every value
 * stays below what a hosted plan allows for a key. Keys: `keys.ts`.
 */
import type { Hotkey } from '#shared/primitives/ids.ts';
import { keys } from './keys.ts';
import type { Dated, MinerDetail, MinerRow, NetworkHistory, NetworkSnapshot, Span } from './network-ports.ts';
import {
  packDetail,
  packEntry,
  packGeneral,
  packMinerRow,
  parseDetail,
  parseEntry,
  parseGeneral,
  parseMinerRow,
  type SnapshotEntry,
} from './network-records.ts';
import { nonsense, type RedisConnection } from './redis-connection.ts';
import { createRedisNetworkNow } from './redis-network-now.ts';

/** Rows on a page: about 130 bytes each. */
const ROWS_PER_PAGE = 64;
/** A miner's series lies in so many parts: at 720 snapshots, 90 rows each. */
const CHUNKS_KEPT = 8;
/** Commands of one request: well below a megabyte. */
const BATCH = 128;

const batches = <T>(items: readonly T[], size = BATCH): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));

const linesOf = (text: string): readonly MinerRow[] =>
  text === '' ? [] : text.split('\n').map((line) => parseMinerRow(line) ?? nonsense("a miner's row"));

export function createRedisNetworkHistory(connection: RedisConnection): NetworkHistory {
  /** Entries of the snapshots in a span, newest first; at most as many as are kept. */
  async function entriesIn({ fromMs, toMs }: Span): Promise<readonly SnapshotEntry[]> {
    const replies = await connection.read((c) => c.zrange(keys.snapshots, toMs, fromMs, { byScore: true, rev: true }));
    return replies.texts().map((text) => parseEntry(text) ?? nonsense('a snapshot'));
  }

  async function readAll(names: readonly string[]): Promise<readonly (string | null)[]> {
    const texts: (string | null)[] = [];
    for (const some of batches(names, 16)) {
      texts.push(...(await connection.read((c) => c.mget(...some))).textsOrNulls(some.length));
    }
    return texts;
  }

  async function readGeneral(entries: readonly SnapshotEntry[]) {
    const texts = await readAll(entries.map(({ takenAtMs }) => keys.snapshotGeneral(takenAtMs)));
    return entries.flatMap(({ takenAtMs }, i) => {
      const text = texts[i];
      // Gone since its entry was read.
      if (text == null) return [];
      return [{ takenAtMs, ...(parseGeneral(text) ?? nonsense('a snapshot')) }];
    });
  }

  /** Rows of all miners: only the pages that the span's offset and limit reach. */
  async function rowsOfAll(span: Span): Promise<readonly Dated<MinerRow>[]> {
    const wanted: { takenAtMs: number; page: number; from: number; to: number }[] = [];
    let skip = span.offset;
    let left = span.limit;
    for (const { takenAtMs, miners } of await entriesIn(span)) {
      for (let page = 0; page * ROWS_PER_PAGE < miners && left > 0; page++) {
        const rows = Math.min(ROWS_PER_PAGE, miners - page * ROWS_PER_PAGE);
        const from = Math.min(skip, rows);
        const to = Math.min(rows, from + left);
        skip -= from;
        left -= to - from;
        if (to > from) wanted.push({ takenAtMs, page, from, to });
      }
    }
    const texts = await readAll(wanted.map(({ takenAtMs, page }) => keys.snapshotPage(takenAtMs, page)));
    return wanted.flatMap(({ takenAtMs, from, to }, i) => {
      const rows = linesOf(texts[i] ?? '').slice(from, to);
      return rows.map((row) => ({ takenAtMs, ...row }));
    });
  }

  /** Rows of one miner: its own series, part by part, until the limit is reached. */
  async function rowsOfOne(span: Span, hotkey: Hotkey): Promise<readonly Dated<MinerRow>[]> {
    const found: Dated<MinerRow>[] = [];
    const entries = await entriesIn(span);
    const chunks = [...new Set(entries.map(({ chunk }) => chunk))];
    for (const chunk of chunks) {
      if (found.length >= span.offset + span.limit) break;
      const times = entries.filter((entry) => entry.chunk === chunk).map(({ takenAtMs }) => takenAtMs);
      const fields = times.map((takenAtMs) => takenAtMs.toString(36));
      const replies = await connection.read((c) => c.hmget(keys.minerSeries(hotkey, chunk), ...fields));
      for (const [i, text] of replies.textsOrNulls(fields.length).entries()) {
        if (text == null) continue;
        found.push({ takenAtMs: times[i] ?? 0, ...(parseMinerRow(text) ?? nonsense("a miner's row")) });
      }
    }
    return found.slice(span.offset, span.offset + span.limit);
  }

  async function append(snapshot: NetworkSnapshot, keepMs: number): Promise<void> {
    const { takenAtMs, miners } = snapshot;
    const chunkMs = Math.ceil(keepMs / CHUNKS_KEPT);
    const chunk = Math.floor(takenAtMs / chunkMs);
    const field = takenAtMs.toString(36);
    for (const some of batches(miners, BATCH / 2)) {
      const replies = await connection.write((c) => {
        for (const row of some) {
          const series = keys.minerSeries(row.hotkey, chunk);
          c.hset(series, { [field]: packMinerRow(row) });
          c.pexpire(series, keepMs + chunkMs);
        }
      });
      replies.skip(2 * some.length);
    }
    const pages = batches(miners, ROWS_PER_PAGE);
    const written = await connection.write((c) => {
      for (const [page, rows] of pages.entries()) {
        c.set(keys.snapshotPage(takenAtMs, page), rows.map(packMinerRow).join('\n'), { px: keepMs });
      }
      c.set(keys.snapshotGeneral(takenAtMs), packGeneral(snapshot), { px: keepMs });
    });
    written.skip(pages.length + 1);
    const entry = packEntry({ takenAtMs, chunk, miners: miners.length });
    const replies = await connection.multi((c) => {
      c.zremrangebyscore(keys.snapshots, takenAtMs, takenAtMs);
      c.zadd(keys.snapshots, { score: takenAtMs, member: entry });
      c.zremrangebyscore(keys.snapshots, 0, takenAtMs - keepMs);
    });
    replies.skip(3);
  }

  async function publishDetails(details: readonly MinerDetail[], keepMs: number): Promise<void> {
    for (const some of batches(details, 32)) {
      const replies = await connection.write((c) => {
        for (const detail of some) c.set(keys.minerDetail(detail.miner.hotkey), packDetail(detail), { px: keepMs });
      });
      replies.skip(some.length);
    }
  }

  return {
    ...createRedisNetworkNow(connection),
    append,
    publishDetails,
    minerRows: (span, hotkey) => (hotkey === undefined ? rowsOfAll(span) : rowsOfOne(span, hotkey)),
    async tierRows(span) {
      const rows: Dated<NetworkSnapshot['tiers'][number]>[] = [];
      // As many snapshots as can hold the rows asked for; each has at least one tier.
      const entries = (await entriesIn(span)).slice(0, span.offset + span.limit);
      for (const some of batches(entries, 16)) {
        if (rows.length >= span.offset + span.limit) break;
        for (const { takenAtMs, tiers } of await readGeneral(some)) {
          rows.push(...tiers.map((tier) => ({ takenAtMs, ...tier })));
        }
      }
      return rows.slice(span.offset, span.offset + span.limit);
    },
    async networkRows(span) {
      const entries = (await entriesIn(span)).slice(span.offset, span.offset + span.limit);
      return (await readGeneral(entries)).map(({ takenAtMs, network }) => ({ takenAtMs, ...network }));
    },
    async minerDetail(hotkey) {
      const text = (await connection.read((c) => c.get(keys.minerDetail(hotkey)))).textOrNull();
      return text === null ? undefined : (parseDetail(text) ?? nonsense("a miner's state"));
    },
  };
}
