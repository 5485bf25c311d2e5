/**
 * The state of now over Redis: pages of miners under a new version, made current by one switch of the head, as the
 * directory does it. Part of `redis-network-history.ts`.
 */
import { keys } from './keys.ts';
import type { MinerNow, NetworkHistory } from './network-ports.ts';
import { type NowHead, packHead, packMinerNow, parseHead, parseMinerNow } from './network-records.ts';
import { IndexUnavailable } from './ports.ts';
import { nonsense, type RedisConnection } from './redis-connection.ts';

/** Miners on a page: about 450 bytes each. */
const MINERS_PER_PAGE = 50;
/** A reader that meets the next switch so often in a row is told that the index does not work. */
const READ_ATTEMPTS = 4;

type Now = Pick<NetworkHistory, 'publishNow' | 'readNow' | 'minersNow' | 'indexBytes'>;

export function createRedisNetworkNow(connection: RedisConnection): Now {
  async function readHead(): Promise<NowHead | undefined> {
    const text = (await connection.read((c) => c.get(keys.nowHead))).textOrNull();
    return text === null ? undefined : (parseHead(text) ?? nonsense("the network's state"));
  }
  const pageKeys = ({ version, pages }: Pick<NowHead, 'version' | 'pages'>) =>
    Array.from({ length: pages }, (_, page) => keys.nowPage(version, page));

  /** Undefined when the version was replaced while it was read. */
  async function readPages(head: NowHead): Promise<readonly MinerNow[] | undefined> {
    if (head.pages === 0) return [];
    const replies = await connection.read((c) => c.mget(...pageKeys(head)));
    const miners: MinerNow[] = [];
    for (const text of replies.textsOrNulls(head.pages)) {
      if (text === null) return undefined;
      miners.push(...text.split('\n').map((line) => parseMinerNow(line) ?? nonsense('a miner')));
    }
    return miners;
  }

  return {
    async publishNow(now, miners) {
      const before = await readHead().catch(() => undefined);
      const version = (await connection.write((c) => c.incrby(keys.nowVersions, 1))).integer();
      const pages = Math.ceil(miners.length / MINERS_PER_PAGE);
      if (pages > 0) {
        const replies = await connection.write((c) => {
          for (const [page, name] of pageKeys({ version, pages }).entries()) {
            const some = miners.slice(page * MINERS_PER_PAGE, (page + 1) * MINERS_PER_PAGE);
            c.set(name, some.map(packMinerNow).join('\n'));
          }
        });
        replies.skip(pages);
      }
      (await connection.write((c) => c.set(keys.nowHead, packHead({ version, pages, now })))).wasSet();
      if (before && before.pages > 0) await connection.write((c) => c.del(...pageKeys(before)));
    },
    async readNow() {
      return (await readHead())?.now;
    },
    async minersNow() {
      for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
        const head = await readHead();
        if (!head) return { takenAtMs: 0, miners: [] };
        const miners = await readPages(head);
        if (miners) return { takenAtMs: head.now.takenAtMs, miners };
      }
      throw new IndexUnavailable("the network's state has pages missing");
    },
    indexBytes: () => connection.usedMemory(),
  };
}
