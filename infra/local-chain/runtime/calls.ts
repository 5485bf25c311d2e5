/**
 * The calls that the local chain executes: how each runs, what the pool asks before it lets it in, and whether it pays
 * a fee. Arguments come decoded by their declaration, hence the narrow casts of this file.
 */

import { blake2b } from '@noble/hashes/blake2.js';
import { fail, type Result, succeed } from '#shared/primitives/failure.ts';
import type { ScaleValue } from '../scale/type.ts';
import { EXISTENTIAL_DEPOSIT, freeBalance, transfer } from './accounts.ts';
import {
  checkReveal,
  commitTimelocked,
  commitWeights,
  isTimelockedSizeValid,
  type RevealWeights,
  revealWeights,
} from './commits.ts';
import { type Context, type Dispatched, type Inspection, refuse } from './context.ts';
import { type AccountId, Neurons, Subnet } from './items.ts';
import { hasStakeForWeights, passesWeightsRateLimit, storageIndex } from './neuron-columns.ts';
import { burnedRegister, registerWithLimit } from './registration.ts';
import { checkServe, type ServeAxon, serveAxon } from './serving.ts';
import { type SetWeights, setPlainWeights } from './weights.ts';

type Args = Readonly<Record<string, ScaleValue>>;

export interface Call {
  /** `Pallet.name` of the declaration. */
  readonly id: string;
  readonly args: Args;
}
interface Handler {
  readonly paysFee: boolean;
  run(context: Context, who: AccountId, args: Args): Dispatched;
  /** What the pool refuses already, as the real transaction extension does. */
  check?(inspection: Inspection, who: AccountId, args: Args): Dispatched;
}

const num = (args: Args, name: string): number => args[name] as number;
const big = (args: Args, name: string): bigint => args[name] as bigint;
const bytes = (args: Args, name: string): Uint8Array => args[name] as Uint8Array;
const numbers = (args: Args, name: string): readonly number[] => args[name] as readonly number[];

/** The account of a `MultiAddress`: `AccountIdLookup` knows the form `Id` alone, not even the same bytes as `Address32`. */
export function lookUp(address: ScaleValue): AccountId | undefined {
  const { type, value } = address as { type: string; value: ScaleValue };
  return type === 'Id' ? (value as AccountId) : undefined;
}

function sendTo(context: Context, who: AccountId, args: Args, amount: bigint, keepAlive: boolean): Dispatched {
  const to = lookUp(args.dest);
  return to ? transfer(context, who, to, amount, keepAlive) : refuse('DeadAccount', 'Balances');
}

const weightsOf = (args: Args): SetWeights => ({
  netuid: num(args, 'netuid'),
  mechanism: (args.mecid as number | undefined) ?? 0,
  uids: numbers(args, 'dests'),
  values: numbers(args, 'weights'),
  versionKey: big(args, 'version_key'),
});
const revealOf = (args: Args): RevealWeights => ({
  netuid: num(args, 'netuid'),
  mechanism: (args.mecid as number | undefined) ?? 0,
  uids: numbers(args, 'uids'),
  values: numbers(args, 'values'),
  salt: numbers(args, 'salt'),
  versionKey: big(args, 'version_key'),
});

function checkStake(inspection: Inspection, who: AccountId, args: Args): Dispatched {
  return hasStakeForWeights(inspection, num(args, 'netuid'), who) ? undefined : refuse('NotEnoughStakeToSetWeights');
}

/** Who is no neuron passes here and fails in the call, as on the real chain. */
function checkRate(inspection: Inspection, who: AccountId, args: Args, error: string): Dispatched {
  const netuid = num(args, 'netuid');
  const uid = Neurons.uid.get(inspection.state, netuid, who);
  const index = storageIndex(netuid, (args.mecid as number | undefined) ?? 0);
  return uid === undefined || passesWeightsRateLimit(inspection, netuid, index, uid) ? undefined : refuse(error);
}

const setWeights: Handler = {
  paysFee: false,
  run: (context, who, args) => setPlainWeights(context, who, weightsOf(args)),
  check: (inspection, who, args) =>
    checkStake(inspection, who, args) ??
    (Subnet.commitReveal.get(inspection.state, num(args, 'netuid'))
      ? undefined
      : checkRate(inspection, who, args, 'SettingWeightsTooFast')),
};
const commit: Handler = {
  paysFee: false,
  run: (context, who, args) =>
    commitWeights(context, who, {
      netuid: num(args, 'netuid'),
      mechanism: (args.mecid as number | undefined) ?? 0,
      hash: bytes(args, 'commit_hash'),
    }),
  check: (inspection, who, args) =>
    checkStake(inspection, who, args) ?? checkRate(inspection, who, args, 'CommittingWeightsTooFast'),
};
const reveal: Handler = {
  paysFee: false,
  run: (context, who, args) => revealWeights(context, who, revealOf(args)),
  check: (inspection, who, args) => checkStake(inspection, who, args) ?? checkReveal(inspection, who, revealOf(args)),
};
const serve: Handler = {
  paysFee: false,
  run: (context, who, args) => serveAxon(context, who, args as unknown as ServeAxon),
  check: (inspection, who, args) => checkServe(inspection, who, args as unknown as ServeAxon),
};

const HANDLERS: Readonly<Record<string, Handler>> = {
  'System.remark': { paysFee: true, run: () => undefined },
  'System.remark_with_event': {
    paysFee: true,
    run: (context, sender, args) => {
      const hash = blake2b(bytes(args, 'remark'), { dkLen: 32 });
      context.emit({ pallet: 'System', name: 'Remarked', value: { sender, hash } });
      return undefined;
    },
  },
  'Balances.transfer_allow_death': {
    paysFee: true,
    run: (context, who, args) => sendTo(context, who, args, big(args, 'value'), false),
  },
  'Balances.transfer_keep_alive': {
    paysFee: true,
    run: (context, who, args) => sendTo(context, who, args, big(args, 'value'), true),
  },
  'Balances.transfer_all': {
    paysFee: true,
    run: (context, who, args) => {
      const keepAlive = args.keep_alive === true;
      const free = freeBalance(context.state, who);
      return sendTo(
        context,
        who,
        args,
        keepAlive && free >= EXISTENTIAL_DEPOSIT ? free - EXISTENTIAL_DEPOSIT : free,
        keepAlive,
      );
    },
  },
  'SubtensorModule.burned_register': {
    paysFee: true,
    run: (context, who, args) => burnedRegister(context, who, num(args, 'netuid'), bytes(args, 'hotkey')),
  },
  'SubtensorModule.register_limit': {
    paysFee: true,
    run: (context, who, args) =>
      registerWithLimit(context, who, num(args, 'netuid'), bytes(args, 'hotkey'), big(args, 'limit_price')),
  },
  'SubtensorModule.serve_axon': serve,
  'SubtensorModule.serve_axon_tls': serve,
  'SubtensorModule.set_weights': setWeights,
  'SubtensorModule.set_mechanism_weights': setWeights,
  'SubtensorModule.commit_weights': commit,
  'SubtensorModule.commit_mechanism_weights': commit,
  'SubtensorModule.reveal_weights': reveal,
  'SubtensorModule.reveal_mechanism_weights': reveal,
  'SubtensorModule.commit_timelocked_weights': {
    paysFee: false,
    run: (context, who, args) =>
      commitTimelocked(context, who, {
        netuid: num(args, 'netuid'),
        commit: bytes(args, 'commit'),
        revealRound: big(args, 'reveal_round'),
        version: num(args, 'commit_reveal_version'),
      }),
    check: checkStake,
  },
};

/** The decoded `RuntimeCall` as ours; fails for what nobody may send: inherents, too long a commit. */
export function callOf(value: ScaleValue): Result<Call> {
  const outer = value as { type: string; value: { type: string; value?: Args } };
  const call = { id: `${outer.type}.${outer.value.type}`, args: outer.value.value ?? {} };
  const commitBytes = call.args.commit;
  if (!HANDLERS[call.id] || (commitBytes instanceof Uint8Array && !isTimelockedSizeValid(commitBytes))) {
    return fail({ code: 'not-callable', fault: 'caller', message: `${call.id} cannot be sent` });
  }
  return succeed(call);
}

const handlerOf = (call: Call): Handler => HANDLERS[call.id] as Handler;

export const paysFee = (call: Call): boolean => handlerOf(call).paysFee;
export const checkCall = (inspection: Inspection, who: AccountId, call: Call): Dispatched =>
  handlerOf(call).check?.(inspection, who, call.args);
export const runCall = (context: Context, who: AccountId, call: Call): Dispatched =>
  handlerOf(call).run(context, who, call.args);
