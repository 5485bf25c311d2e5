/**
 * Has every miner that holds a shard of a file's first segment prove it, as a validator does (por/v1): the request is
 * signed with the tenant's key, the answer judged against the anchors of the manifest. Called by `main.ts`, on a network
 * that is thrown away afterwards: the rounds belong to no chain of rounds.
 */
import { shardBytesOf } from '#shared/codec/reed-solomon.ts';
import { segmentLength } from '#shared/codec/segment.ts';
import { createIndex } from '#shared/index/redis-index.ts';
import { fromHex } from '#shared/primitives/bytes.ts';
import { systemClock, systemRandom } from '#shared/primitives/effects.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { type Anchor, anchorIdOf, leafCount } from '#shared/proof/anchor.ts';
import { roundLeaves } from '#shared/proof/seed.ts';
import { signStatement } from '#shared/proof/statement.ts';
import { planRound, verifyAnswer } from '#shared/proof/verify-answer.ts';
import { createMinerClient } from '#shared/wire/miner-client.ts';
import { minerUrlOf, parseHostPattern } from '#shared/wire/miner-url.ts';
import { createNodeHttpFetch } from '#shared/wire/node-http-fetch.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import type { LocalNetwork } from '../local-network/local-network.ts';

const DEADLINE_MS = 30_000;

/** How many shards were proven; rejects at the first that is not. */
export async function proveShards({ secrets, tenancies }: LocalNetwork, cid: string): Promise<number> {
  const [tenancy] = tenancies;
  const seed = fromHex(secrets.tenancies[0]?.tenantSeed ?? '', 32);
  const genesis = fromHex(secrets.genesisHash, 32);
  if (!tenancy || !seed || !genesis) throw new Error('the network has no tenant');
  const sr25519 = await loadSr25519();
  const signer = sr25519.signerFromSeed(seed);
  const network = { genesis, netuid: secrets.netuid };
  const index = createIndex({ url: tenancy.indexUrl, token: tenancy.indexToken, clock: systemClock });
  const file = await index.files.findFile(cid as Cid);
  if (!file) throw new Error(`the index does not know ${cid}`);
  const [segment] = await index.files.readSegments(file, 0, 1);
  const { miners: listed } = await index.miners.read();
  const bytes = shardBytesOf(segmentLength(file.bytes, file.segmentBytes, 0), file.k);
  const http = createNodeHttpFetch();
  const miners = createMinerClient({
    fetch: http.fetch,
    signer,
    network,
    tenant: signer.hotkey,
    grant: () => undefined,
    clock: systemClock,
    random: systemRandom,
    verify: sr25519.verify,
  });
  let proven = 0;
  try {
    for (const slot of segment?.slots ?? []) {
      if (slot.state !== 'stored') continue;
      const entry = listed.find(({ number }) => number === slot.miner);
      const url = entry && minerUrlOf(parseHostPattern('http://{ip}:{port}'), entry.address);
      if (!url) throw new Error(`the directory does not list miner ${slot.miner}`);
      const anchor: Anchor = { root: slot.root, bytes };
      const leaves = leafCount(bytes);
      const anchorId = anchorIdOf(anchor);
      const plan = planRound(
        network,
        {
          validator: signer.hotkey,
          miner: entry.hotkey,
          round: 1,
          block: 25,
          blockHash: systemRandom(32),
          prevTranscript: new Uint8Array(32),
          inventory: new Uint8Array(32),
          inventoryLeaves: leaves,
          salt: systemRandom(32),
          nextCommit: systemRandom(32),
          leaves: roundLeaves(leaves),
          sweep: false,
          items: [{ anchorId, leaves: roundLeaves(leaves) }],
        },
        new Map([[anchorId, anchor]]),
      );
      if (!plan.ok) throw new Error(plan.failure.message);
      const request = signStatement(signer, plan.value.requestBytes);
      const answer = await miners.challenge(
        { hotkey: entry.hotkey, url },
        { request },
        plan.value.answerBytes,
        AbortSignal.timeout(DEADLINE_MS),
      );
      if (!answer.ok) throw new Error(`challenge of ${entry.hotkey}: ${answer.failure.message}`);
      const { passed, items } = verifyAnswer(sr25519.verify, plan.value, answer.value);
      if (!passed) throw new Error(`${entry.hotkey} did not prove its shard: ${items[0]?.verdict}`);
      proven++;
    }
  } finally {
    http.close();
  }
  if (proven === 0) throw new Error('no shard was there to be proven');
  return proven;
}
