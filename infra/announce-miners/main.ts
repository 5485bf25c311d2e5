/**
 * Registers and announces all miners of a local network in one short-lived process: what each miner elsewhere does by a
 * child of its own (`miner/announce/main.ts`), with the same flow, but with `@polkadot/api` loaded once and not a dozen
 * times. Reads its plan from the file that FILETAO_ANNOUNCE_PLAN names; logs `announced` and ends.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { z } from 'zod';
import { announcePatiently } from '#shared/chain/announce-patiently.ts';
import { UNLIMITED_PACE } from '#shared/chain/rpc-pace.ts';
import { connectSubstrateChain } from '#shared/chain/substrate-chain.ts';
import { systemClock, systemRandom } from '#shared/primitives/effects.ts';
import { createNodeLog } from '#shared/primitives/node-log.ts';
import { readKeyFile } from '#shared/wire/node-key-file.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';

const log = createNodeLog('announce');

const Plan = z.strictObject({
  endpoint: z.string(),
  netuid: z.int(),
  version: z.int(),
  /** A registration may burn so much, in billionths of TAO. */
  burnAtMostRao: z.string().regex(/^\d+$/).transform(BigInt),
  miners: z.array(z.strictObject({ hotkeyFile: z.string(), coldkeyFile: z.string(), ip: z.string(), port: z.int() })),
});

async function main(): Promise<void> {
  const plan = Plan.parse(JSON.parse(readFileSync(process.env.FILETAO_ANNOUNCE_PLAN ?? '', 'utf8')));
  const sr25519 = await loadSr25519();
  const signerOf = (file: string) => {
    const seed = readKeyFile(file);
    if (!seed.ok) throw new Error(seed.failure.message);
    return sr25519.signerFromSeed(seed.value);
  };
  const { endpoint, netuid, version, burnAtMostRao } = plan;
  const connected = await connectSubstrateChain({
    endpoint,
    pace: UNLIMITED_PACE,
    clock: systemClock,
    random: systemRandom,
    log,
    // Nothing here sets weights.
    commits: { list: async () => [], put: async () => undefined, remove: async () => undefined },
  });
  if (!connected.ok) throw new Error(connected.failure.message);
  const chain = connected.value;
  await Promise.all(
    plan.miners.map(async ({ hotkeyFile, coldkeyFile, ip, port }) => {
      const hotkey = signerOf(hotkeyFile);
      const registration = { coldkey: signerOf(coldkeyFile), burnAtMostRao };
      const claim = { ip, port, version };
      const done = await announcePatiently(chain, { netuid, hotkey, claim, registration }, systemClock);
      if (!done.ok) throw new Error(`${hotkey.hotkey}: ${done.failure.message}`);
      const { uid, registered, axon } = done.value;
      log.info('miner', { hotkey: hotkey.hotkey, uid, registered, axon });
    }),
  );
  log.info('announced', { miners: plan.miners.length });
  await chain.close();
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    log.error('not-announced', { reason: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  },
);
