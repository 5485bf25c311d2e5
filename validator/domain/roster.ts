/**
 * Who is in the subnet and who left it, by comparing metagraphs: pure, so that a restart, a chain that was away for days
 * and a replacement in every block are all the same case. A hotkey that is gone, or whose registration is a newer one,
 * has left; the newcomer's registration block at its uid says when. Kept by `validator/chain/watch-subnet.ts`.
 */
import type { Metagraph, Neuron } from '#shared/chain/ports.ts';
import type { MinerAddress } from '#shared/index/ports.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';

/** Blocks without a registration before what the replaced held is moved (the original's figure, `docs/decisions.md`). */
export const QUIET_BLOCKS = 5;
/** A subnet that never is quiet must not put it off for ever: 12 minutes of Bittensor. */
export const LONGEST_UNQUIET_BLOCKS = 60;
/** Who is settled is still told what to drop for so long: orders may be under way. Twenty minutes of Bittensor. */
export const LINGER_BLOCKS = 100;
/** Who is not settled by then is given up: a week of Bittensor. */
export const FORGET_BLOCKS = 50_400;

export interface Member {
  readonly hotkey: Hotkey;
  readonly coldkey: string;
  readonly uid: number;
  readonly registeredAt: number;
  /** Where it serves, or served last; absent while it never did. */
  readonly address?: MinerAddress;
}

export interface Departed extends Member {
  readonly leftAt: number;
  /** The block in which nothing of ours was left with it; absent before. */
  readonly settledAt?: number;
}

export interface Roster {
  /** The block of the metagraph that it was taken from. */
  readonly block: number;
  /** When somebody registered last. */
  readonly lastRegistration: number;
  readonly members: readonly Member[];
  readonly departed: readonly Departed[];
}

export interface RosterChange {
  readonly roster: Roster;
  readonly joined: readonly Member[];
  readonly left: readonly Departed[];
}

/** @param before undefined at the very first start: nobody has left a subnet that was not known */
export function nextRoster(before: Roster | undefined, metagraph: Metagraph, own: Hotkey): RosterChange {
  const block = metagraph.block.number;
  // A node that lags behind the one before knows less than we do.
  if (before && block < before.block) return { roster: before, joined: [], left: [] };
  const known = new Map(before?.members.map((member) => [member.hotkey, member]));
  const members = metagraph.neurons
    .filter(({ hotkey }) => hotkey !== own)
    .map((neuron) => memberOf(neuron, known.get(neuron.hotkey)));
  const now = new Map(members.map((member) => [member.hotkey, member]));
  const left = [...known.values()]
    .filter((member) => now.get(member.hotkey)?.registeredAt !== member.registeredAt)
    .map((member): Departed => ({ ...member, leftAt: leftAt(member, metagraph) }));
  const joined = members.filter((member) => known.get(member.hotkey)?.registeredAt !== member.registeredAt);
  const leftNow = new Set(left.map(({ hotkey }) => hotkey));
  const departed = [...(before?.departed ?? []).filter(({ hotkey }) => !leftNow.has(hotkey)), ...left]
    // Who came back is a member again, and what it holds is with a member again.
    .filter(({ hotkey }) => !now.has(hotkey))
    .filter(({ leftAt, settledAt = block }) => block - leftAt < FORGET_BLOCKS && block - settledAt < LINGER_BLOCKS);
  const lastRegistration = metagraph.neurons.reduce((last, { registeredAt }) => Math.max(last, registeredAt), 0);
  return { roster: { block, lastRegistration, members, departed }, joined, left };
}

function memberOf({ hotkey, coldkey, uid, registeredAt, axon }: Neuron, before: Member | undefined): Member {
  const address = axon ? { ip: axon.ip, port: axon.port } : before?.address;
  return { hotkey, coldkey, uid, registeredAt, ...(address && { address }) };
}

/** Who sits at its uid now took it in that block; an empty uid: it was gone by the metagraph's block. */
function leftAt(member: Member, { neurons, block }: Metagraph): number {
  const successor = neurons[member.uid];
  return successor && successor.registeredAt > member.registeredAt ? successor.registeredAt : block.number;
}

/** May what it held be moved now? */
export function isDue({ leftAt }: Departed, { lastRegistration }: Roster, block: number): boolean {
  return block - Math.max(leftAt, lastRegistration) >= QUIET_BLOCKS || block - leftAt >= LONGEST_UNQUIET_BLOCKS;
}

export const withSettled = (roster: Roster, hotkey: Hotkey, block: number): Roster => ({
  ...roster,
  departed: roster.departed.map((departed) =>
    departed.hotkey === hotkey && departed.settledAt === undefined ? { ...departed, settledAt: block } : departed,
  ),
});
