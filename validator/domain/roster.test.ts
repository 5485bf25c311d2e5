import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Metagraph, Neuron } from '#shared/chain/ports.ts';
import { type Hotkey, hotkeyOf } from '#shared/primitives/ids.ts';
import {
  FORGET_BLOCKS,
  isDue,
  LINGER_BLOCKS,
  LONGEST_UNQUIET_BLOCKS,
  nextRoster,
  QUIET_BLOCKS,
  type Roster,
  withSettled,
} from './roster.ts';

const key = (number: number): Hotkey => hotkeyOf(new Uint8Array(32).fill(number));
const OWN = key(255);

const neuron = (uid: number, hotkey: Hotkey, registeredAt: number, port?: number): Neuron => ({
  uid,
  hotkey,
  coldkey: key(200),
  axon: port === undefined ? undefined : { ip: '9.0.0.9', port, version: 1, block: registeredAt },
  stake: 0n,
  validatorPermit: false,
  lastUpdate: registeredAt,
  incentive: 0,
  emission: 0n,
  registeredAt,
});
const at = (block: number, ...neurons: readonly Neuron[]): Metagraph => ({
  netuid: 21,
  block: { number: block, hash: new Uint8Array(32) },
  neurons,
  stakeKind: 'total',
});
const rosterOf = (...metagraphs: readonly Metagraph[]): Roster =>
  metagraphs.reduce<Roster | undefined>(
    (roster, metagraph) => nextRoster(roster, metagraph, OWN).roster,
    undefined,
  ) as Roster;

const [ada, bob, eve] = [key(1), key(2), key(3)] as const;

describe('the roster', () => {
  it('is everybody but ourselves, whether they have a permit or not', () => {
    const mine = { ...neuron(0, OWN, 0), validatorPermit: true };
    const other = { ...neuron(1, ada, 0, 9001), validatorPermit: true };
    const { roster, joined, left } = nextRoster(undefined, at(10, mine, other, neuron(2, bob, 5)), OWN);
    expect(roster.members.map(({ hotkey, address }) => [hotkey, address?.port])).toEqual([
      [ada, 9001],
      [bob, undefined],
    ]);
    expect([joined.length, left.length]).toEqual([2, 0]);
  });

  it('keeps the last address of who announces none any more', () => {
    const roster = rosterOf(at(10, neuron(0, ada, 1, 9001)), at(11, neuron(0, ada, 1)));
    expect(roster.members[0]?.address).toEqual({ ip: '9.0.0.9', port: 9001 });
  });

  it('says in which block a place was taken, however late it is seen', () => {
    const before = rosterOf(at(10, neuron(0, ada, 1, 9001), neuron(1, bob, 2)));
    const { left, joined } = nextRoster(before, at(90, neuron(0, eve, 42), neuron(1, bob, 2)), OWN);
    expect(left).toMatchObject([{ hotkey: ada, leftAt: 42, address: { port: 9001 } }]);
    expect(joined).toMatchObject([{ hotkey: eve }]);
  });

  it('counts who came back under another registration as gone and back', () => {
    const before = rosterOf(at(10, neuron(0, ada, 1)));
    const { left, joined, roster } = nextRoster(before, at(20, neuron(0, ada, 15)), OWN);
    expect([left.length, joined.length, roster.departed.length]).toEqual([1, 1, 0]);
  });

  it('knows who vanished without a successor', () => {
    const before = rosterOf(at(10, neuron(0, ada, 1), neuron(1, bob, 1)));
    expect(nextRoster(before, at(12, neuron(0, ada, 1)), OWN).left).toMatchObject([{ hotkey: bob, leftAt: 12 }]);
  });

  it('learns nothing from a node that lags behind', () => {
    const before = rosterOf(at(10, neuron(0, ada, 1)));
    expect(nextRoster(before, at(9), OWN)).toEqual({ roster: before, joined: [], left: [] });
  });

  it('forgets departures after a week, settled ones after a while, and who is a member again', () => {
    const gone = rosterOf(at(10, neuron(0, ada, 1)), at(20, neuron(0, bob, 20)));
    const later = (roster: Roster, blocks: number) =>
      nextRoster(roster, at(20 + blocks, neuron(0, bob, 20)), OWN).roster.departed.length;
    expect([later(gone, FORGET_BLOCKS - 1), later(gone, FORGET_BLOCKS)]).toEqual([1, 0]);
    const settled = withSettled(gone, ada, 25);
    expect([later(settled, LINGER_BLOCKS + 4), later(settled, LINGER_BLOCKS + 5)]).toEqual([1, 0]);
    expect(nextRoster(gone, at(30, neuron(0, ada, 29)), OWN).roster.departed.map(({ hotkey }) => hotkey)).toEqual([
      bob,
    ]);
  });

  it('loses nobody: every hotkey that was a member is one still, or has departed', () => {
    const steps = fc.array(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 5 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(steps, (walks) => {
        let roster: Roster | undefined;
        const seen = new Set<Hotkey>();
        for (const [step, names] of walks.entries()) {
          const hotkeys = [...new Set(names)].map(key);
          // Whoever sits there anew registered in this very block.
          const rows = hotkeys.map((hotkey, uid) => {
            const kept = roster?.members.find((member) => member.hotkey === hotkey && member.uid === uid);
            return neuron(uid, hotkey, kept?.registeredAt ?? step + 1);
          });
          roster = nextRoster(roster, at(step + 1, ...rows), OWN).roster;
          for (const hotkey of hotkeys) seen.add(hotkey);
          const { members, departed } = roster;
          const all = [...members, ...departed].map((member) => member.hotkey);
          expect(new Set(all)).toEqual(seen);
          expect(all.length).toBe(seen.size);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('a departure is due', () => {
  const gone = rosterOf(at(10, neuron(0, ada, 1)), at(20, neuron(0, bob, 20)));
  const [departed] = gone.departed;
  if (!departed) throw new Error('nobody left');

  it('after five blocks without another registration', () => {
    expect([isDue(departed, gone, 20 + QUIET_BLOCKS - 1), isDue(departed, gone, 20 + QUIET_BLOCKS)]).toEqual([
      false,
      true,
    ]);
    const restless = { ...gone, lastRegistration: 24 };
    expect([isDue(departed, restless, 28), isDue(departed, restless, 29)]).toEqual([false, true]);
  });

  it('after an hour’s fifth at the latest, in a subnet that is never quiet', () => {
    const block = 20 + LONGEST_UNQUIET_BLOCKS;
    expect(isDue(departed, { ...gone, lastRegistration: block }, block)).toBe(true);
  });
});
