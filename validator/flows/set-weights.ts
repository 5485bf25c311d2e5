/**
 * Tells the chain, once every tempo, what each miner has earned: reveals commits that are due, then sets (or commits)
 * weights made of the moving averages. What was set, and from which rewards, is kept. Nothing is sent when nobody has
 * earned; a refusal is asked again when the chain says so, or a few blocks later.
 */
import type { SubnetRules } from '#shared/chain/ports.ts';
import { countEarners, type ReasonedWeight, reasonedWeights, weightsDue } from '#validator/domain/weights-due.ts';
import type { ValidatorPorts } from '#validator/ports.ts';
import type { StandingsBook } from '#validator/state/ports.ts';
import type { WeightEntry, WeightHistory } from '#validator/state/weight-history.ts';

/** Version key that goes with weights: FileTAO 3.0.0's, whose rules these are. */
const VERSION_KEY = 3000n;
/** Pause after a refusal that names no block. */
const RETRY_BLOCKS = 5;

type Ports = Pick<ValidatorPorts, 'chain' | 'blocks' | 'signer' | 'network' | 'clock' | 'log'> & {
  readonly standings: StandingsBook;
  readonly weights: WeightHistory;
};

/** What earlier runs learned; made once, kept by the caller. Lost in a restart, it only costs one look at the chain. */
export interface SetWeightsState {
  seenBlock: number;
  notBeforeBlock: number;
  /** The last reason why nothing was set: kept and told once. */
  told: string | undefined;
  /** Block of the last weights or commit, as the chain has it. */
  lastUpdate: number | undefined;
}

export const newSetWeightsState = (): SetWeightsState => ({
  seenBlock: -1,
  notBeforeBlock: 0,
  told: undefined,
  lastUpdate: undefined,
});

export async function setWeights(ports: Ports, state: SetWeightsState, signal: AbortSignal): Promise<void> {
  const block = ports.blocks.newest().number;
  if (block <= state.seenBlock) return;
  await revealDue(ports, block);
  signal.throwIfAborted();
  if (block >= state.notBeforeBlock) await setDue(ports, state, block);
  state.seenBlock = block;
}

async function revealDue(ports: Ports, block: number): Promise<void> {
  const revealed = await ports.chain.revealWeights(ports.network.netuid, ports.signer);
  if (!revealed.ok) {
    ports.log.warn('weights-not-revealed', { ...revealed.failure });
    return;
  }
  for (const outcome of revealed.value) {
    if (outcome.kind === 'waiting') continue;
    const at = outcome.kind === 'revealed' ? outcome.block.number : block;
    note(ports, { block: at, step: outcome.kind, reason: 'due', commit: outcome.commit, weights: [] });
    const fields = { block: at, commit: outcome.commit };
    if (outcome.kind === 'revealed') ports.log.info('weights-revealed', fields);
    else ports.log.warn(`weights-${outcome.kind}`, fields);
  }
}

async function setDue(ports: Ports, state: SetWeightsState, block: number): Promise<void> {
  const { chain, network, signer, standings } = ports;
  const [metagraph, rules] = await Promise.all([chain.metagraph(network.netuid), chain.rules(network.netuid)]);
  if (!metagraph.ok) return wait(ports, state, block, metagraph.failure);
  if (!rules.ok) return wait(ports, state, block, rules.failure);
  const own = metagraph.value.neurons.find(({ hotkey }) => hotkey === signer.hotkey);
  if (!own) {
    const message = `this hotkey is not registered in subnet ${network.netuid}: filetao wallet register`;
    return wait(ports, state, block, { code: 'not-registered', message });
  }
  state.lastUpdate = own.lastUpdate;
  if (!weightsDue(own, block, rules.value.tempo)) return;
  const known = standings.all();
  const weights = reasonedWeights(metagraph.value, known, rules.value);
  if (weights.length === 0) {
    const earners = countEarners(metagraph.value, known);
    const code = earners === 0 ? 'nobody-earned' : 'too-few-earned';
    const message = earners === 0 ? 'nobody has earned anything yet' : tooFew(earners, rules.value);
    return wait(ports, state, block, { code, message });
  }
  await send(ports, state, weights, own.lastUpdate <= own.registeredAt ? 'first' : 'tempo', block);
}

const tooFew = (earners: number, { minWeights }: SubnetRules): string =>
  `${earners} miners have earned something; the subnet takes no fewer than ${minWeights} weights`;

async function send(
  ports: Ports,
  state: SetWeightsState,
  weights: readonly ReasonedWeight[],
  reason: string,
  block: number,
): Promise<void> {
  const rows = weights.map(({ uid, value }) => ({ uid, value }));
  const { netuid } = ports.network;
  const outcome = await ports.chain.setWeights({
    netuid,
    signer: ports.signer,
    weights: rows,
    versionKey: VERSION_KEY,
  });
  if (!outcome.ok) return wait(ports, state, block, outcome.failure);
  state.told = undefined;
  state.lastUpdate = outcome.value.block.number;
  const commit = outcome.value.kind === 'committed' ? outcome.value.commit : undefined;
  note(ports, { block: outcome.value.block.number, step: outcome.value.kind, reason, commit, weights });
  const largest = weights.reduce((most, weight) => (weight.value > most.value ? weight : most));
  ports.log.info(`weights-${outcome.value.kind}`, {
    ...{ block: outcome.value.block.number, reason, miners: weights.length, largest: largest.hotkey },
    ...(outcome.value.kind === 'committed' ? { revealFromBlock: outcome.value.revealFromBlock } : {}),
  });
}

interface NotNow {
  readonly code: string;
  readonly message: string;
  readonly retryAtBlock?: number | undefined;
}

/** Nothing is set now: told and kept once for each reason, and asked again later. */
function wait(ports: Ports, state: SetWeightsState, block: number, { code, message, retryAtBlock }: NotNow): void {
  state.notBeforeBlock = Math.max(block + 1, retryAtBlock ?? block + RETRY_BLOCKS);
  if (state.told === code) return;
  state.told = code;
  note(ports, { block, step: 'not-set', reason: code, commit: undefined, weights: [] });
  const quiet = code === 'nobody-earned' || code === 'weights-too-fast';
  ports.log[quiet ? 'info' : 'warn']('weights-not-set', { code, message, again: state.notBeforeBlock });
}

function note(ports: Ports, entry: Omit<WeightEntry, 'atMs'>): void {
  ports.weights.note({ atMs: ports.clock.nowMs(), ...entry });
}
