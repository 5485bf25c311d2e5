/**
 * Who is registered, kept true by the chain: reads the metagraph every few finalized blocks, remembers the roster in the
 * validator's folder, and tells who joined and who left. Fills the ports `Registrations` and `Departures`.
 */
import type { Metagraph, MetagraphReader } from '#shared/chain/ports.ts';
import type { Log } from '#shared/primitives/effects.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import { type Departed, isDue, type Member, nextRoster, type Roster, withSettled } from '../domain/roster.ts';
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
const unsettled = (roster: Roster | undefined): readonly Departed[] =>
  (roster?.departed ?? []).filter(({ settledAt }) => settledAt === undefined);
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
  /** False: it is asked again at the next block. */
  const refresh = async (): Promise<boolean> => {
    const read = await ports.chain.metagraph(subnet.netuid);
    if (!read.ok) return complain('metagraph-unread', read.failure.message);
    try {
      await change(() => take(read.value));
    } catch (error) {
      return complain('roster-unwritten', String(error));
    }
    if (!fresh) ports.log.info('metagraph', { block: roster?.block, neurons: read.value.neurons.length });
    fresh = true;
    told = undefined;
    return true;
  };
  /** The same complaint is made once. */
  const complain = (event: string, message: string): false => {
    if (told !== event) ports.log.warn(event, { message });
    told = event;
    return false;
  };
  const take = async (metagraph: Metagraph) => {
    const next = nextRoster(roster, metagraph, subnet.own);
    const changed = JSON.stringify(next.roster.members) !== JSON.stringify(roster?.members);
    if (changed || next.left.length > 0) await store.write(next.roster);
    if (roster) for (const { hotkey, uid } of next.joined) ports.log.info('neuron-joined', { hotkey, uid });
    for (const { hotkey, uid, leftAt } of next.left) ports.log.warn('neuron-left', { hotkey, uid, leftAt });
    roster = next.roster;
    if (changed) for (const listener of listeners) listener();
  };
  const follow = async () => {
    while (!signal.aborted) {
      // What failed is asked again at the next block.
      const pause = done ? subnet.refreshBlocks : 1;
      const next = await blocks.above(asked + pause - 1, signal).catch(() => undefined);
      if (!next) return;
      asked = next.number;
      done = await refresh();
    }
  };
  let asked = blocks.newest().number;
  let done = await refresh();

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
        unsettled(roster).map((departed) => ({
          hotkey: departed.hotkey,
          coldkey: departed.coldkey,
          address: departed.address,
          leftAt: departed.leftAt,
          due: fresh && roster !== undefined && isDue(departed, roster, blocks.newest().number),
        })),
      settle: (hotkey) =>
        change(async () => {
          if (!roster || !unsettled(roster).some((departed) => departed.hotkey === hotkey)) return;
          roster = withSettled(roster, hotkey, blocks.newest().number);
          await store.write(roster);
        }),
    },
    onChange: (listener) => void listeners.push(listener),
    ended: follow(),
  };
}
