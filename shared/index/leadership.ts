/**
 * Which of several validator processes with one hotkey works: a lease in the index that ends by itself, and a number
 * that grows with every taker, the fence. Without scripts a renewal cannot compare and set, so it only ever prolongs the
 * lease, whoever holds it, and looks whose it is in the same transaction. Held by `validator/lease/`; the gateway lets
 * no edge write here.
 */
import { keys } from './keys.ts';
import { countOf, nonsense, type RedisConnection } from './redis-connection.ts';

export interface Leader {
  /** Names a process on its folder. */
  readonly holder: string;
  readonly fence: number;
}

export interface Leadership {
  /** Who holds the lease now, and the furthest progress that a holder ever told. */
  read(): Promise<{ readonly leader: Leader | undefined; readonly progress: number }>;
  /** Takes the lease when it is free; undefined when somebody was faster. */
  take(holder: string, ttlMs: number): Promise<Leader | undefined>;
  /**
   * Prolongs a lease. One that ended is taken up again if nobody else ever took it since: it is then as if it had not
   * ended. False: it is somebody else's, for good.
   */
  renew(leader: Leader, ttlMs: number): Promise<boolean>;
  /** Tells how far the folder of the holder has come: a folder that is behind must not take over. */
  tell(leader: Leader, progress: number): Promise<void>;
  /** Ends the lease early if it is ours. */
  release(leader: Leader): Promise<void>;
}

const textOf = ({ holder, fence }: Leader): string => `${fence} ${holder}`;

function parseLeader(text: string): Leader {
  const match = /^([1-9][0-9]{0,15}) ([0-9a-f]{16,64})$/.exec(text);
  if (!match) return nonsense('a lease');
  return { fence: Number(match[1]), holder: match[2] as string };
}

export function createLeadership(connection: RedisConnection): Leadership {
  return {
    async read() {
      const replies = await connection.read((c) => {
        c.get(keys.validatorLease);
        c.hgetall(keys.validatorProgress);
      });
      const text = replies.textOrNull();
      const told = replies.texts().filter((_, at) => at % 2 === 1);
      return { leader: text === null ? undefined : parseLeader(text), progress: Math.max(0, ...told.map(countOf)) };
    },
    async take(holder, ttlMs) {
      const fence = (await connection.write((c) => c.incrby(keys.validatorFence, 1))).integer();
      const leader = { holder, fence };
      const replies = await connection.write((c) =>
        c.set(keys.validatorLease, textOf(leader), { nx: true, px: ttlMs }),
      );
      return replies.wasSet() ? leader : undefined;
    },
    async renew(leader, ttlMs) {
      const replies = await connection.multi((c) => {
        c.pexpire(keys.validatorLease, ttlMs);
        c.get(keys.validatorLease);
        c.get(keys.validatorFence);
      });
      replies.skip();
      const held = replies.textOrNull();
      const newest = countOf(replies.textOrNull());
      if (held !== null) return held === textOf(leader);
      if (newest !== leader.fence) return false;
      const again = await connection.multi((c) => {
        c.set(keys.validatorLease, textOf(leader), { nx: true, px: ttlMs });
        c.get(keys.validatorLease);
        c.get(keys.validatorFence);
      });
      again.skip();
      // Whoever wants the lease takes a number first: while ours is the newest, nobody had it in between.
      return again.textOrNull() === textOf(leader) && countOf(again.textOrNull()) === leader.fence;
    },
    async tell(leader, progress) {
      const fields = (await connection.read((c) => c.hgetall(keys.validatorProgress))).texts();
      const older = fields.filter((field, at) => at % 2 === 0 && Number(field) < leader.fence);
      const replies = await connection.multi((c) => {
        c.hset(keys.validatorProgress, { [leader.fence]: progress });
        if (older.length > 0) c.hdel(keys.validatorProgress, ...older);
      });
      replies.skip();
    },
    async release(leader) {
      const text = (await connection.read((c) => c.get(keys.validatorLease))).textOrNull();
      if (text === textOf(leader)) (await connection.write((c) => c.del(keys.validatorLease))).integer();
    },
  };
}
