/**
 * Reveals committed weights in the one epoch in which the chain takes them. The chain's own list says to which epoch a
 * commit belongs, so that nothing is guessed, also after a restart.
 */
import type { Signer } from '#shared/primitives/signer.ts';
import type { PendingCommit, RevealOutcome } from '../ports.ts';
import { ChainRefusal } from '../rpc-error.ts';
import { epochNow, firstBlockOf } from './epoch.ts';
import type { WeightPorts, WeightState } from './weight-ports.ts';

/** A commit can land this long after it was sent (the era of `substrate/submit.ts`); then unknown means never. */
const LANDING_BLOCKS = 64;

type Due =
  | { readonly kind: 'waiting'; readonly pending: PendingCommit; readonly revealFromBlock: number }
  | { readonly kind: 'due'; readonly pending: PendingCommit }
  | { readonly kind: 'lost'; readonly pending: PendingCommit };

/** What is to be done about a pending commit now. */
export function judgePending(pending: PendingCommit, state: WeightState): Due {
  const known = state.commits.find(({ commit }) => commit === pending.commit);
  if (!known) {
    const mayLand = state.epoch.block <= pending.sentAtBlock + LANDING_BLOCKS;
    const revealFromBlock = firstBlockOf(epochNow(state.epoch) + BigInt(state.rules.revealPeriodEpochs), state.epoch);
    return mayLand ? { kind: 'waiting', pending, revealFromBlock } : { kind: 'lost', pending };
  }
  const revealEpoch = known.epoch + BigInt(state.rules.revealPeriodEpochs);
  const now = epochNow(state.epoch);
  if (now < revealEpoch) return { kind: 'waiting', pending, revealFromBlock: firstBlockOf(revealEpoch, state.epoch) };
  return { kind: now === revealEpoch ? 'due' : 'lost', pending };
}

export async function revealWeights(
  ports: WeightPorts,
  netuid: number,
  signer: Signer,
): Promise<readonly RevealOutcome[]> {
  const pending = await ports.commits.list(netuid, signer.hotkey);
  if (pending.length === 0) return [];
  const state = await ports.state(netuid, signer.hotkey);
  const judged = pending.map((commit) => judgePending(commit, state));
  const due = judged.filter(({ kind }) => kind === 'due');
  // Revealing the newest drops the older ones on the chain; their weights would be overwritten anyway.
  const newest = due.at(-1)?.pending;
  const outcomes: RevealOutcome[] = [];
  for (const one of judged) {
    const { commit } = one.pending;
    if (one.kind === 'waiting') outcomes.push({ kind: 'waiting', commit, revealFromBlock: one.revealFromBlock });
    else if (one.kind === 'lost') outcomes.push({ kind: 'lost', commit });
    else if (one.pending === newest) outcomes.push(await revealOne(ports, newest, signer));
    else outcomes.push({ kind: 'superseded', commit });
  }
  const done = outcomes.filter(({ kind }) => kind !== 'waiting').map(({ commit }) => commit);
  if (done.length > 0) await ports.commits.remove(done);
  return outcomes;
}

async function revealOne(
  ports: WeightPorts,
  { netuid, weights, salt, versionKey, commit }: PendingCommit,
  signer: Signer,
): Promise<RevealOutcome> {
  try {
    return { kind: 'revealed', commit, block: await ports.reveal(netuid, weights, salt, versionKey, signer) };
  } catch (error) {
    const code = error instanceof ChainRefusal ? error.failure.code : undefined;
    if (code === 'reveal-expired' || code === 'commit-unknown') return { kind: 'lost', commit };
    throw error;
  }
}
