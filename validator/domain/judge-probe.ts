/**
 * What a probe shows of a miner: the one decision about whole-shard reads through edges, pure. What counts as proof:
 *
 * - A shard that matches our anchor was served; nobody on the way can make one up. It passed, whoever else complained.
 * - An edge's complaint alone proves nothing: the edge, its key's thief, or anyone on a line without TLS could have made
 *   it up. So the validator asks the miner itself; what it then sees is its own word, as with an unanswered challenge.
 * - A miner that serves the validator but not the edges would never be caught by that. It is believed of only when two
 *   edges of different keys say so, each of which brought a right shard of another miner in this very run.
 */
import type { Ending } from '#shared/tier/reward.ts';

/** How one read of the shard ended. `edge-away`: it says nothing about the miner. */
export type ReadEnd = 'right' | 'wrong-bytes' | 'absent' | 'unreachable' | 'edge-away';

export interface EdgeRead {
  readonly edge: string;
  readonly end: ReadEnd;
  readonly seconds: number;
}

export interface ProbeVerdict {
  /** Undefined: void, nobody's attempt. */
  readonly ending: Ending | undefined;
  readonly reason: string;
  readonly seconds: number;
  /** The shard itself is doubtful: an edge and we ourselves found it absent or wrong. */
  readonly suspect: boolean;
}

/**
 * @param direct the validator's own read; undefined when no edge complained
 * @param goodEdges those that brought a right shard of another miner in this run
 */
export function judgeProbe(
  reads: readonly EdgeRead[],
  direct: { readonly end: Exclude<ReadEnd, 'edge-away'>; readonly seconds: number } | undefined,
  goodEdges: ReadonlySet<string>,
): ProbeVerdict {
  const right = reads.find(({ end }) => end === 'right');
  if (right) return { ending: 'passed', reason: 'passed', seconds: right.seconds, suspect: false };
  const complaints = reads.filter(({ end }) => end !== 'edge-away');
  const seconds = Math.max(0, ...reads.map((read) => read.seconds));
  if (complaints.length === 0 || !direct) return { ending: undefined, reason: 'edges-away', seconds, suspect: false };
  if (direct.end === 'right') {
    const accusers = new Set(complaints.map(({ edge }) => edge).filter((edge) => goodEdges.has(edge)));
    if (accusers.size < 2) return { ending: undefined, reason: 'edge-contradicted', seconds, suspect: false };
    return { ending: 'silent', reason: 'refuses-edges', seconds, suspect: false };
  }
  const silent = direct.end === 'unreachable';
  const seen = complaints.some(({ end }) => end === 'absent' || end === 'wrong-bytes');
  return { ending: silent ? 'silent' : 'wrong', reason: direct.end, seconds, suspect: !silent && seen };
}
