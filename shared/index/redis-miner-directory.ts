/**
 * `MinerDirectory` over Redis: pages below what a hosted plan allows for a key, written under a new version and made
 * current by one switch of the head, so that a reader sees one whole snapshot or the one before. Only the tenant writes.
 */
import { fromHex, toHex } from '#shared/primitives/bytes.ts';
import { type Hotkey, MAX_MINER_NUMBER, type MinerNumber, parseHotkey } from '#shared/primitives/ids.ts';
import { keys } from './keys.ts';
import { type DirectorySnapshot, IndexUnavailable, type MinerDirectory, type MinerEntry } from './ports.ts';
import { countOf, nonsense, type RedisConnection } from './redis-connection.ts';

const PAGE_CHARS = 32_000;
/** Pages per request, half a megabyte. */
const PAGES_PER_REQUEST = 16;
/** A reader that meets the next switch so often in a row is told that the index does not work. */
const READ_ATTEMPTS = 4;

interface Head {
  readonly version: number;
  readonly pages: number;
  readonly takenAtMs: number;
  readonly signature: Uint8Array | undefined;
}

const packHead = ({ version, pages, takenAtMs, signature }: Head): string =>
  [version, pages, takenAtMs, ...(signature ? [toHex(signature)] : [])].join(' ');

function parseHead(text: string): Head {
  const match = /^([0-9]{1,15}) ([0-9]{1,6}) ([0-9]{1,15})(?: ([0-9a-f]{128}))?$/.exec(text);
  if (!match) return nonsense("the directory's head");
  const [, version, pages, takenAtMs, signature] = match;
  return {
    version: Number(version),
    pages: Number(pages),
    takenAtMs: Number(takenAtMs),
    signature: signature === undefined ? undefined : fromHex(signature),
  };
}

const packEntry = (entry: MinerEntry): string =>
  JSON.stringify([
    ...[entry.number, entry.hotkey, entry.coldkey, entry.address.ip, entry.address.port],
    ...[entry.freeBytes, entry.capacityBytes, entry.accepting ? 1 : 0],
  ]);

const isCount = (value: unknown, max = Number.MAX_SAFE_INTEGER): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max;

function parseEntry(line: string): MinerEntry {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return nonsense('a miner');
  }
  if (!Array.isArray(json) || json.length !== 8) return nonsense('a miner');
  const [number, hotkeyText, coldkey, ip, port, freeBytes, capacityBytes, accepting]: readonly unknown[] = json;
  const hotkey = typeof hotkeyText === 'string' ? parseHotkey(hotkeyText) : undefined;
  if (!hotkey || typeof coldkey !== 'string' || typeof ip !== 'string') return nonsense('a miner');
  if (!isCount(number, MAX_MINER_NUMBER) || !isCount(port, 65_535)) return nonsense('a miner');
  if (!isCount(freeBytes) || !isCount(capacityBytes) || !isCount(accepting, 1)) return nonsense('a miner');
  const address = { ip, port };
  return {
    number: number as MinerNumber,
    hotkey,
    coldkey,
    address,
    freeBytes,
    capacityBytes,
    accepting: accepting === 1,
  };
}

/** Lines of JSON, as many to a page as fit. */
function paginate(miners: readonly MinerEntry[]): readonly string[] {
  const pages: string[] = [];
  let page = '';
  for (const line of miners.map(packEntry)) {
    if (page !== '' && page.length + 1 + line.length > PAGE_CHARS) {
      pages.push(page);
      page = line;
    } else page = page === '' ? line : `${page}\n${line}`;
  }
  return page === '' ? pages : [...pages, page];
}

export function createRedisMinerDirectory(connection: RedisConnection): MinerDirectory {
  const runs = (pages: number): number[][] => {
    const all = Array.from({ length: pages }, (_, i) => i);
    return Array.from({ length: Math.ceil(pages / PAGES_PER_REQUEST) }, (_, i) =>
      all.slice(i * PAGES_PER_REQUEST, (i + 1) * PAGES_PER_REQUEST),
    );
  };

  /** The miners of this version; undefined when it was replaced while we read. */
  async function readVersion({ version, pages }: Head): Promise<MinerEntry[] | undefined> {
    const miners: MinerEntry[] = [];
    for (const run of runs(pages)) {
      const replies = await connection.read((c) => c.mget(...run.map((page) => keys.directoryPage(version, page))));
      for (const text of replies.textsOrNulls(run.length)) {
        if (text === null) return undefined;
        miners.push(...text.split('\n').map(parseEntry));
      }
    }
    return miners;
  }

  return {
    async read() {
      for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
        const text = (await connection.read((c) => c.get(keys.directoryHead))).textOrNull();
        if (text === null) return { takenAtMs: 0, miners: [] };
        const head = parseHead(text);
        const miners = await readVersion(head);
        const { takenAtMs, signature } = head;
        if (miners) return { takenAtMs, miners, ...(signature && { signature }) };
      }
      throw new IndexUnavailable('the directory has pages missing');
    },

    async numberOf(hotkeys) {
      const numbers = new Map<Hotkey, MinerNumber>();
      if (hotkeys.length === 0) return numbers;
      const known = (await connection.read((c) => c.hmget(keys.minerNumbers, ...hotkeys))).textsOrNulls(hotkeys.length);
      for (const [i, hotkey] of hotkeys.entries()) {
        const number = known[i] == null ? await giveNumber(connection, hotkey) : countOf(known[i] ?? null);
        numbers.set(hotkey, number as MinerNumber);
      }
      return numbers;
    },

    async publish(snapshot: DirectorySnapshot) {
      const pages = paginate(snapshot.miners);
      const before = (await connection.read((c) => c.get(keys.directoryHead))).textOrNull();
      const version = (await connection.write((c) => c.incrby(keys.directoryVersions, 1))).integer();
      for (const run of runs(pages.length)) {
        const replies = await connection.write((c) => {
          for (const page of run) c.set(keys.directoryPage(version, page), pages[page] ?? '');
        });
        replies.skip(run.length);
      }
      const { takenAtMs, signature } = snapshot;
      const head = packHead({ version, pages: pages.length, takenAtMs, signature });
      (await connection.write((c) => c.set(keys.directoryHead, head))).wasSet();
      // Readers of the old version that come too late find a page missing and read the head again.
      const old = before === null ? undefined : parseHead(before);
      for (const run of old ? runs(old.pages) : []) {
        await connection.write((c) => c.del(...run.map((page) => keys.directoryPage(old?.version ?? 0, page))));
      }
    },
  };
}

/** The next number goes to whoever writes first; a loser's number is never given out. */
async function giveNumber(connection: RedisConnection, hotkey: Hotkey): Promise<number> {
  const next = (await connection.write((c) => c.incrby(keys.minerCounter, 1))).integer();
  if (next > MAX_MINER_NUMBER) throw new IndexUnavailable('the index is out of miner numbers');
  const replies = await connection.multi((c) => {
    c.hsetnx(keys.minerNumbers, hotkey, next);
    c.hget(keys.minerNumbers, hotkey);
  });
  return countOf(replies.skip().textOrNull());
}
