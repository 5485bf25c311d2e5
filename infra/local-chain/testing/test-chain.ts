/**
 * A local chain inside the test's own process, whose blocks the test makes, and a client of `@polkadot/api` that knows nothing of
 * it: what passes here is what a real chain's client sees.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import type { SubmittableExtrinsic } from '@polkadot/api/types';
import { waitReady } from '@polkadot/wasm-crypto';
import { vi } from 'vitest';
import { silentLog } from '#shared/primitives/effects.ts';
import { parseGenesis } from '../genesis-file.ts';
import { type LocalChain, openLocalChain } from '../local-chain.ts';
import { readSettings } from '../settings.ts';

export const NETUID = 21;
const KEYS = ['Alice', 'Bob', 'Charlie', 'Dave', 'Eve', 'Ferdie'] as const;
type Name = (typeof KEYS)[number];

export async function keys() {
  await waitReady();
  const ring = new Keyring({ type: 'sr25519' });
  const pairs = Object.fromEntries(KEYS.map((name) => [name, ring.addFromUri(`//${name}`)]));
  return { ring, of: (name: Name) => pairs[name] as ReturnType<typeof ring.addFromUri> };
}
export type Pair = ReturnType<Awaited<ReturnType<typeof keys>>['of']>;

export interface TestChain extends LocalChain {
  readonly folder: string;
}

/** @param genesis as in `genesis-file.ts`; @param folder an existing one, to start again */
export async function startChain(
  genesis: object = {},
  flags: readonly string[] = [],
  folder?: string,
): Promise<TestChain> {
  const dir = folder ?? mkdtempSync(join(tmpdir(), 'filetao-chain-'));
  const args = ['--port', '0', '--dir', dir, '--tempo', '12', ...flags];
  const settings = readSettings(args, {});
  const running = await openLocalChain(
    settings,
    () => parseGenesis(genesis, settings.netuid, settings.tempo),
    silentLog,
    'still',
  );
  return { ...running, folder: dir };
}

export async function stopChain(chain: TestChain): Promise<void> {
  await chain.close();
  rmSync(chain.folder, { recursive: true, force: true });
}

export async function connect(url: string): Promise<ApiPromise> {
  // Its log goes to the console and repeats what the tests expect.
  for (const level of ['error', 'warn'] as const) vi.spyOn(console, level).mockImplementation(() => undefined);
  return ApiPromise.create({ provider: new WsProvider(url, 200), noInitWarn: true });
}

export interface Outcome {
  /** Name of the module error; undefined when the call went through. */
  readonly error: string | undefined;
  readonly events: readonly string[];
  readonly blockHash: string;
}

/** Signs, submits, makes the block; rejects with what the pool said when it refused. */
export function send(
  { chain, api }: { readonly chain: LocalChain; readonly api: ApiPromise },
  call: SubmittableExtrinsic<'promise'>,
  signer: Pair,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    call
      .signAndSend(signer, { nonce: -1 }, ({ status, dispatchError, events }) => {
        if (status.isReady) chain.makeBlock();
        if (status.isInvalid || status.isUsurped || status.isDropped) reject(new Error(status.type));
        // The client drops what a later status overtakes.
        const block = status.isInBlock ? status.asInBlock : status.isFinalized ? status.asFinalized : undefined;
        if (!block) return;
        resolve({
          error: dispatchError?.isModule
            ? api.registry.findMetaError(dispatchError.asModule).name
            : dispatchError?.type,
          events: events.map(({ event }) => `${event.section}.${event.method}`),
          blockHash: block.toHex(),
        });
      })
      .catch(reject);
  });
}

/** The parts of the API by name: its types know no subtensor, and a name that is missing must fail the test. */
export function surfaceOf(api: ApiPromise) {
  const at = <T>(found: T | undefined, name: string): T => {
    if (found === undefined) throw new Error(`the API has no ${name}`);
    return found;
  };
  return {
    tx: (section: string, method: string, ...args: unknown[]) =>
      at(api.tx[section]?.[method], `${section}.${method}`)(...args),
    read: async <T>(item: string, ...args: unknown[]) =>
      (await at(api.query.subtensorModule?.[item], item)(...args)).toJSON() as T,
    ask: async <T>(section: string, method: string, ...args: unknown[]) =>
      (await at(api.call[section]?.[method], `${section}.${method}`)(...args)).toJSON() as T,
    account: async (address: string) =>
      (await at(api.query.system?.account, 'system.account')(address)).toJSON() as unknown as {
        nonce: number;
        data: { free: number | string };
      },
  };
}

export const headOf = ({ chain }: LocalChain): number => chain.head.header.number;

export function makeBlocks(chain: LocalChain, count: number): void {
  for (let made = 0; made < count; made++) chain.makeBlock();
}
