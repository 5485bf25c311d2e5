import { describe, expect, it } from 'vitest';
import { type EdgeRead, judgeProbe, type ReadEnd } from './judge-probe.ts';

const A = 'edge-a';
const B = 'edge-b';
const read = (edge: string, end: ReadEnd, seconds = 1): EdgeRead => ({ edge, end, seconds });
const direct = (end: Exclude<ReadEnd, 'edge-away'>) => ({ end, seconds: 1 });
const bothGood = new Set([A, B]);

const cases: readonly {
  readonly id: string;
  readonly reads: readonly EdgeRead[];
  readonly direct?: ReturnType<typeof direct>;
  readonly good?: ReadonlySet<string>;
  readonly ending: string | undefined;
  readonly reason: string;
  readonly suspect?: boolean;
}[] = [
  // what passes
  { id: 'the first edge brings it', reads: [read(A, 'right')], ending: 'passed', reason: 'passed' },
  {
    id: 'the second edge brings what the first complained of',
    ...{ reads: [read(A, 'absent'), read(B, 'right')], ending: 'passed', reason: 'passed' },
  },
  {
    id: 'an edge is away, the other brings it',
    ...{ reads: [read(A, 'edge-away'), read(B, 'right')], ending: 'passed', reason: 'passed' },
  },
  // what costs nobody anything
  { id: 'no edge answers', reads: [read(A, 'edge-away')], ending: undefined, reason: 'edges-away' },
  { id: 'there is no edge', reads: [], ending: undefined, reason: 'edges-away' },
  {
    id: 'a complaint that we could not look into',
    ...{ reads: [read(A, 'absent')], ending: undefined, reason: 'edges-away' },
  },
  {
    id: 'one edge alone complains, and we are served',
    ...{ reads: [read(A, 'unreachable')], direct: direct('right'), good: bothGood },
    ...{ ending: undefined, reason: 'edge-contradicted' },
  },
  {
    id: 'one edge complains twice, and we are served',
    ...{ reads: [read(A, 'unreachable'), read(A, 'absent')], direct: direct('right'), good: bothGood },
    ...{ ending: undefined, reason: 'edge-contradicted' },
  },
  {
    id: 'two edges complain that brought nothing of anybody else',
    ...{ reads: [read(A, 'absent'), read(B, 'absent')], direct: direct('right'), good: new Set<string>() },
    ...{ ending: undefined, reason: 'edge-contradicted' },
  },
  {
    id: 'two edges complain, and only one of them works for others',
    ...{ reads: [read(A, 'absent'), read(B, 'absent')], direct: direct('right'), good: new Set([A]) },
    ...{ ending: undefined, reason: 'edge-contradicted' },
  },
  // what counts as a failure
  {
    id: 'two edges that work for others complain: it serves us and not them',
    ...{ reads: [read(A, 'unreachable'), read(B, 'wrong-bytes')], direct: direct('right'), good: bothGood },
    ...{ ending: 'silent', reason: 'refuses-edges' },
  },
  {
    id: 'nobody reaches it',
    ...{ reads: [read(A, 'unreachable')], direct: direct('unreachable'), ending: 'silent', reason: 'unreachable' },
  },
  {
    id: 'it tells us too that it has no such shard',
    ...{ reads: [read(A, 'absent')], direct: direct('absent'), ending: 'wrong', reason: 'absent', suspect: true },
  },
  {
    id: 'it serves us wrong bytes too',
    ...{ reads: [read(A, 'wrong-bytes')], direct: direct('wrong-bytes') },
    ...{ ending: 'wrong', reason: 'wrong-bytes', suspect: true },
  },
  {
    id: 'unreachable for the edge, absent for us: the shard is not given up on our word alone',
    ...{ reads: [read(A, 'unreachable')], direct: direct('absent'), ending: 'wrong', reason: 'absent' },
  },
];

describe('a probe', () => {
  it.each(cases)('$id', ({ reads, direct, good = new Set<string>(), ending, reason, suspect = false }) => {
    expect(judgeProbe(reads, direct, good)).toMatchObject({ ending, reason, suspect });
  });

  it('is timed by the read that brought the shard, and a failure by the longest', () => {
    expect(judgeProbe([read(A, 'absent', 9), read(B, 'right', 2)], undefined, bothGood).seconds).toBe(2);
    expect(judgeProbe([read(A, 'absent', 9), read(B, 'absent', 2)], direct('absent'), bothGood).seconds).toBe(9);
  });
});
