/**
 * Accounts and balances, in rao (10⁻⁹ TAO): an account lives while it holds at least the existential deposit. Fees and
 * registration costs are burned. Follows pallet_balances where it matters to clients: checks, events, errors.
 */
import type { StateView } from '../state/state-view.ts';
import { type Context, type Dispatched, refuse } from './context.ts';
import { type AccountId, Balances, System } from './items.ts';

/** `Balances.ExistentialDeposit` of the real chain. */
export const EXISTENTIAL_DEPOSIT = 500n;

export const freeBalance = (state: StateView, who: AccountId): bigint => System.account.get(state, who).data.free;

/** True when `amount` can leave the account and the account lives on. */
export const canSpend = (state: StateView, who: AccountId, amount: bigint): boolean =>
  freeBalance(state, who) >= amount + EXISTENTIAL_DEPOSIT;

function setFree({ state, emit }: Context, who: AccountId, free: bigint): void {
  const before = System.account.get(state, who);
  const born = before.providers === 0 && free > 0n;
  System.account.put(state, { ...before, providers: free > 0n ? 1 : 0, data: { ...before.data, free } }, who);
  if (!born) return;
  emit({ pallet: 'System', name: 'NewAccount', value: { account: who } });
  emit({ pallet: 'Balances', name: 'Endowed', value: { account: who, free_balance: free } });
}

/** New money: genesis only. */
export function mint(context: Context, who: AccountId, amount: bigint): void {
  setFree(context, who, freeBalance(context.state, who) + amount);
  Balances.totalIssuance.update(context.state, (total) => total + amount);
}

/** Takes money away for good: fees, registrations. The caller has checked `canSpend`, or knows that it is there. */
export function burn(context: Context, who: AccountId, amount: bigint): void {
  if (amount === 0n) return;
  setFree(context, who, freeBalance(context.state, who) - amount);
  Balances.totalIssuance.update(context.state, (total) => total - amount);
  context.emit({ pallet: 'Balances', name: 'Withdraw', value: { who, amount } });
}

/** @param keepAlive the sender must keep the existential deposit; else what would be less is lost with the account */
export function transfer(
  context: Context,
  from: AccountId,
  to: AccountId,
  amount: bigint,
  keepAlive: boolean,
): Dispatched {
  const { state, emit } = context;
  const free = freeBalance(state, from);
  if (free < amount) return refuse('InsufficientBalance', 'Balances');
  if (freeBalance(state, to) + amount < EXISTENTIAL_DEPOSIT) return refuse('ExistentialDeposit', 'Balances');
  const rest = free - amount;
  if (rest < EXISTENTIAL_DEPOSIT && keepAlive) return refuse('Expendability', 'Balances');
  const dust = rest < EXISTENTIAL_DEPOSIT ? rest : 0n;
  setFree(context, from, rest - dust);
  if (dust > 0n) Balances.totalIssuance.update(state, (total) => total - dust);
  setFree(context, to, freeBalance(state, to) + amount);
  emit({ pallet: 'Balances', name: 'Transfer', value: { from, to, amount } });
  return undefined;
}

export function bumpNonce({ state }: Context, who: AccountId): void {
  System.account.update(state, (account) => ({ ...account, nonce: account.nonce + 1 }), who);
}
