/**
 * Steps a fault through every point of a change: the change is run again and again in a world without files, and each
 * time the fault strikes one request later, until the change is over before its turn.
 */
import { EffectGate, type Fault } from './effect-gate.ts';
import { type Belief, checkInvariants } from './invariants.ts';
import type { World } from './world.ts';

export interface Change<Before> {
  /** What was there before; without faults. */
  prepare?(world: World): Promise<Before>;
  /** Files expire in the change: counters speak of them until the tenant has seen it. */
  readonly expires?: true;
  /** The change, by whom the fault meets at the gate; answers what the owner may believe afterwards. */
  act(world: World, gate: EffectGate, before: Before): Promise<readonly Belief[]>;
}

/** Points of a change are many; a mistake in counting them must not look like success. */
const MOST_POINTS = 2000;

/** Answers how many points there were. */
export async function atEveryPoint<Before>(world: World, fault: Fault, change: Change<Before>): Promise<number> {
  for (let at = 0; at < MOST_POINTS; at++) {
    world.reset();
    const before = (await change.prepare?.(world)) as Before;
    const gate = new EffectGate(fault, at);
    const beliefs = await change.act(world, gate, before);
    await world.settled();
    try {
      if (!change.expires) await checkInvariants(world.seen, beliefs, false);
      world.passAllHolds();
      await world.runJobs();
      await checkInvariants(world.seen, beliefs, true);
    } catch (error) {
      throw new Error(`${fault} at request ${at}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
    if (gate.struck) continue;
    const unsure = beliefs.filter(({ is }) => is === 'unknown').length;
    if (unsure > 0) throw new Error('without a fault the change does not succeed');
    return at;
  }
  throw new Error(`a change of more than ${MOST_POINTS} requests`);
}
