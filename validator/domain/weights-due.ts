/**
 * Whose weights are set and when: pure, from the metagraph, the standings and the subnet's rules. Weights follow the
 * hotkey to whatever uid it has now; who is not registered, or has earned nothing, gets none.
 */
import type { Metagraph, Neuron, SubnetRules, WeightRow } from '#shared/chain/ports.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import { weightsOf } from '#shared/tier/weights.ts';
import type { Standing } from '#validator/state/standing.ts';

/** One weight and what it comes from: kept, so that anyone can be told why. */
export interface ReasonedWeight extends WeightRow {
  readonly hotkey: Hotkey;
  /** Moving average of rewards at that moment. */
  readonly reward: number;
}

/**
 * Once every tempo, by the chain's own record: a restart, an empty folder or a stand-by in our place changes nothing.
 * At once while none were ever set (the chain then names the block of the registration).
 */
export function weightsDue(own: Neuron, block: number, tempo: number): boolean {
  return own.lastUpdate <= own.registeredAt || block - own.lastUpdate >= tempo;
}

/** Empty when nobody registered has earned anything, or fewer than the subnet's least have. */
export function reasonedWeights(
  { neurons }: Pick<Metagraph, 'neurons'>,
  standings: readonly Standing[],
  rules: Pick<SubnetRules, 'minWeights' | 'maxWeightShare'>,
): readonly ReasonedWeight[] {
  const known = new Map(standings.map((standing) => [standing.hotkey, standing]));
  const earners = neurons.flatMap(({ uid, hotkey }) => {
    const standing = known.get(hotkey);
    return standing ? [{ uid, hotkey, average: standing.reward }] : [];
  });
  const least = Math.min(Math.max(1, rules.minWeights), neurons.length);
  const weights = weightsOf(earners, { minCount: least, maxShare: rules.maxWeightShare });
  const byUid = new Map(earners.map((earner) => [earner.uid, earner]));
  return weights.flatMap(({ uid, value }) => {
    const earner = byUid.get(uid);
    return earner ? [{ uid, value, hotkey: earner.hotkey, reward: earner.average }] : [];
  });
}

export const countEarners = ({ neurons }: Pick<Metagraph, 'neurons'>, standings: readonly Standing[]): number => {
  const registered = new Set(neurons.map(({ hotkey }) => hotkey));
  return standings.filter(({ hotkey, reward }) => registered.has(hotkey) && reward > 0).length;
};
