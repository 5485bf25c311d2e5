/**
 * Who is registered, kept true by the chain: reads the metagraph every few finalized blocks, remembers the roster in the
 * validator's folder, and tells who joined and who left. Fills the ports `Registrations` and `Departures`.
 */
import type { MetagraphReader } from '#shared/chain/ports.ts';
import type { Log } from '#shared/primitives/effects.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import { isDue, type Member, nextRoster, type Roster, withoutDeparted } from '../domain/roster.ts';
import type { Departures, FinalizedBlocks, RegisteredMiner, Registrations } from '../ports.ts';

/** The roster on disk, durable before `write` resolves. */
export interface RosterStore {
  read(): Promise<Roster | undefined>;
  write(roster: Roster): Promise<void>;
}

export interface SubnetWatch {
  readonly registrations: Registrations;
  readonly departures: Departures;
  /** Told after each change of the roster: somebody joined, left, or serves elsewhere. */
  onChange(listener: () => void): void;
  /** Resolves when the signal that it was started with has ended it. */
  readonly ended: Promise<void>;
}

export interface WatchedSubnet {
  readonly netuid: number;
  /** The validator's: it is no miner of its own. */
  readonly own: Hotkey;
  readonly refreshBlocks: number;
}

interface Ports {
  readonly chain: MetagraphReader;
  readonly blocks: FinalizedBlocks;
  readonly store: RosterStore;
  readonly log: Log;
}

const registered = ({ hotkey, coldkey, address }: Member): readonly RegisteredMiner[] =>
  address ? [{ hotkey, coldkey, address }] : [];
const leavingAt = (leftAt: number) => (miner: RegisteredMiner) => ({ ...miner, leftAt });

/** Resolves when the metagraph was asked for once; a chain that does not answer is asked again at every block. */
export async function watchSubnet(ports: Ports, subnet: WatchedSubnet, signal: AbortSignal): Promise<SubnetWatch> {
  const { blocks, store } = ports;
  let roster = await store.read();
  let fresh = false;
  /** One change of the roster after another: `settle` and a refresh may meet. */
  let turn: Promise<unknown> = Promise.resolve();
  const change = <T>(action: () => Promise<T>): Promise<T> => {
    const next = turn.then(action);
    turn = next.catch(() => undefined);
    return next;
  };

  const listeners: (() => void)[] = [];
  let told: string | undefined;
  const refresh = async () => {
    const read = await ports.chain.metagraph(subnet.netuid);
    if (!read.ok) {
      if (told !== read.failure.code) ports.log.warn('metagraph-unread', { ...read.failure });
      told = read.failure.code;
      return;
    }
    told = undefined;
    await change(async () => {
      const next = nextRoster(roster, read.value, subnet.own);
      const changed = JSON.stringify(next.roster.members) !== JSON.stringify(roster?.members);
      if (changed || next.left.length > 0) await store.write(next.roster);
      if (roster) for (const { hotkey, uid } of next.joined) ports.log.info('neuron-joined', { hotkey, uid });
      for (const { hotkey, uid, leftAt } of next.left) ports.log.warn('neuron-left', { hotkey, uid, leftAt });
      roster = next.roster;
      if (changed) for (const listener of listeners) listener();
    });
    if (!fresh) ports.log.info('metagraph', { block: roster?.block, neurons: read.value.neurons.length });
    fresh = true;
  };
  const follow = async () => {
    while (!signal.aborted) {
      // What failed is asked again at the next block.
      const pause = told === undefined ? subnet.refreshBlocks : 1;
      const next = await blocks.above(asked + pause - 1, signal).catch(() => undefined);
      if (!next) return;
      asked = next.number;
      await refresh();
    }
  };
  let asked = blocks.newest().number;
  await refresh();

  return {
    registrations: {
      async read() {
        if (!roster || !fresh) throw new Error('the metagraph has not been read yet');
        const members = roster.members.flatMap(registered);
        return [...members, ...roster.departed.flatMap((gone) => registered(gone).map(leavingAt(gone.leftAt)))];
      },
    },
    departures: {
      list: () =>
        (roster?.departed ?? []).map((departed) => ({
          hotkey: departed.hotkey,
          coldkey: departed.coldkey,
          address: departed.address,
          leftAt: departed.leftAt,
          due: fresh && roster !== undefined && isDue(departed, roster, blocks.newest().number),
        })),
      settle: (hotkey) =>
        change(async () => {
          if (!roster?.departed.some((departed) => departed.hotkey === hotkey)) return;
          roster = withoutDeparted(roster, hotkey);
          await store.write(roster);
        }),
    },
    onChange: (listener) => void listeners.push(listener),
    ended: follow(),
  };
}
