import { describe, expect, it } from 'vitest';
import { hotkeyOf } from '#shared/primitives/ids.ts';
import { nextPing, type PingAnswer, type PingStanding } from './next-ping.ts';

const hotkey = hotkeyOf(new Uint8Array(32).fill(3));

function after(answers: readonly PingAnswer[]): { standing: PingStanding | undefined; changes: string[] } {
  let standing: PingStanding | undefined;
  const changes: string[] = [];
  for (const [at, answer] of answers.entries()) {
    const next = nextPing(hotkey, standing, answer, at);
    standing = next.standing;
    if (next.change) changes.push(`${next.change}@${at}`);
  }
  return { standing, changes };
}
const silent = (count: number): PingAnswer[] => new Array(count).fill('silent');

describe('nextPing', () => {
  it.each<[string, PingAnswer[], string, string[]]>([
    ['five failures are none', silent(5), 'up', []],
    ['the sixth is a strike', silent(6), 'down', ['struck@5']],
    ['six more are another', silent(12), 'down', ['struck@5', 'struck@11']],
    ['an answer in between begins anew', [...silent(5), 'up', ...silent(5)], 'up', []],
    ['a miner that answers is back', [...silent(7), 'up'], 'up', ['struck@5', 'back@7']],
    ['a miner that leaves says so once', ['up', 'leaving', 'leaving'], 'leaving', ['leaving@1']],
    ['one that leaves and falls silent is struck', ['leaving', ...silent(6)], 'down', ['leaving@0', 'struck@6']],
    ['one that stays after all is back', ['leaving', 'up'], 'up', ['leaving@0', 'back@1']],
  ])('%s', (_, answers, state, changes) => {
    const seen = after(answers);
    expect(seen.standing?.state).toBe(state);
    expect(seen.changes).toEqual(changes);
  });
});
