/**
 * The genesis description as a person writes it, in JSON:
 *   {
 *     "name": "my subnet",
 *     "owner": { "coldkey": "5…", "hotkey": "5…" },
 *     "balances": { "5…": 1000 },
 *     "neurons": [{ "hotkey": "5…", "coldkey": "5…", "stake": 5000 }],
 *     "hyperparameters": { "MaxAllowedUids": 64, "CommitRevealWeightsEnabled": false }
 *   }
 * Balances in TAO, stakes in alpha, accounts as SS58. Every part may be left out; Substrate's development accounts are
 * funded unless `balances` is there, //Alice owns the subnet and //Alice//stash is its hotkey.
 */
import { z } from 'zod';
import { parseSs58 } from '#shared/primitives/ids.ts';
import { type Genesis, isHyperparameter } from './runtime/genesis.ts';

const RAO_PER_TAO = 1_000_000_000;
const DEVELOPMENT = {
  Alice: '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY',
  Bob: '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty',
  Charlie: '5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y',
  Dave: '5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy',
  Eve: '5HGjWAeFDfFCWPsjFQdVV2Msvz2XtMktvgocEZcCj68kUMaw',
  Ferdie: '5CiPPseXPECbkjWCa6MnjNokrgYjMqmKndv2rSnekmSK2DjL',
} as const;
const ALICE_STASH = '5GNJqTPyNqANBkUVMN1LPPrxXnFouWXoe2wNSmmEoLctxiZY';
const DEVELOPMENT_TAO = 1_000_000;

const account = z.string().transform((text, context) => {
  const key = parseSs58(text);
  if (key) return key;
  context.addIssue(`${text} is no SS58 address with prefix 42`);
  return z.NEVER;
});
/** TAO or alpha with up to nine digits after the point, as rao. */
const amount = z
  .number()
  .nonnegative()
  .max(21_000_000)
  .transform((tao) => BigInt(Math.round(tao * RAO_PER_TAO)));

const FILE = z.strictObject({
  name: z.string().max(256).default('filetao local'),
  owner: z
    .strictObject({ coldkey: account, hotkey: account })
    .prefault({ coldkey: DEVELOPMENT.Alice, hotkey: ALICE_STASH }),
  balances: z
    .record(z.string(), amount)
    .prefault(Object.fromEntries(Object.values(DEVELOPMENT).map((text) => [text, DEVELOPMENT_TAO]))),
  neurons: z
    .array(z.strictObject({ hotkey: account, coldkey: account, stake: amount.prefault(0) }))
    .max(256)
    .default([]),
  hyperparameters: z.record(z.string(), z.union([z.number().int(), z.boolean()])).default({}),
});

/** Throws with every fault named: the chain cannot begin without. */
export function parseGenesis(value: unknown, netuid: number, tempo: number): Genesis {
  const parsed = FILE.safeParse(value);
  if (!parsed.success) throw new Error(`genesis: ${z.prettifyError(parsed.error)}`);
  const { balances, hyperparameters, ...rest } = parsed.data;
  for (const [name, setting] of Object.entries(hyperparameters)) {
    if (!isHyperparameter(name, setting)) throw new Error(`genesis: ${name} = ${setting} is no hyperparameter`);
  }
  const funded = Object.entries(balances).map(([text, rao]) => {
    const key = parseSs58(text);
    if (!key) throw new Error(`genesis: ${text} is no SS58 address with prefix 42`);
    return { account: key, rao };
  });
  return { ...rest, netuid, tempo, balances: funded, hyperparameters };
}
