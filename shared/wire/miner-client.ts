/**
 * The miner's API as a client sees it: `MinerClient` over `fetch`, for edges (with a grant) and validators (the
 * tenant itself), in Node and in workerd. What comes back was checked: lengths, hashes, signatures, and every field
 * of a receipt against what was sent. Nothing retries, nothing rejects; requests: protocol.md §2.
 */
import { concatBytes, fromHex, toBase64Url, toHex } from '#shared/primitives/bytes.ts';
import { fail, invariant, succeed } from '#shared/primitives/failure.ts';
import { type AnchorId, newOrderId, type OrderId, publicKeyOf } from '#shared/primitives/ids.ts';
import { encodeOrder } from '#shared/proof/drop-order.ts';
import { parseDrop } from '#shared/proof/drop-receipt.ts';
import { parseHello } from '#shared/proof/hello.ts';
import { openSigned, signStatement } from '#shared/proof/statement.ts';
import { u128OfAddress } from './address.ts';
import { challengeDeadlineMs, encodeChallengeBody } from './challenge-body.ts';
import { checkReceipt } from './check-receipt.ts';
import { HEALTH_NONCE_BYTES, HEALTH_SIGNATURE_HEADER, healthStatement } from './health.ts';
import { MAX_DROP_ITEMS, MAX_LIST_ITEM_BYTES, MAX_LIST_ITEMS, MAX_SMALL_ANSWER_BYTES } from './limits.ts';
import { minerFailure } from './miner-failure.ts';
import { createMinerTransport, type MinerClientOptions, type MinerRequest, sha256 } from './miner-transport.ts';
import { parseHealth, parseListing } from './parse-answers.ts';
import type { MinerClient, MinerPeer } from './ports.ts';
import { readShards } from './read-shards.ts';
import { RECEIPT_BYTES } from './replies.ts';
import { openShardStream } from './shard-stream.ts';

export type { MinerClientOptions } from './miner-transport.ts';

/** hello statement ‖ signature: tag₁₇ nonce₃₂ caller₃₂ miner₃₂ u128 u16 signature₆₄. */
const HELLO_BYTES = 17 + 32 * 3 + 16 + 2 + 64;
/** More than a listing has besides its items: the cursor and the brackets. */
const LIST_ANSWER_BYTES = 512;
/** More than a drop receipt has besides its items (tag₂₄, G₃₆, miner₃₂, hash₃₂, 3 × u64, u32, signature₆₄). */
const DROP_RECEIPT_BYTES = 256;

export function createMinerClient(options: MinerClientOptions): MinerClient {
  const { signer, network, tenant, clock, random, verify } = options;
  const transport = createMinerTransport(options);
  const broken = (miner: MinerPeer, message: string) => fail(minerFailure(miner.hotkey, 'broken', message));

  const check = (
    miner: MinerPeer,
    order: OrderId,
    shard: { readonly anchorId: AnchorId; readonly bytes: number; readonly holdUntilMs: number },
    signed: Uint8Array,
  ) => checkReceipt(signed, { network, miner: miner.hotkey, tenant, caller: signer.hotkey, order, ...shard }, verify);

  const get = (target: string, answerBytes: number): MinerRequest => ({
    method: 'GET',
    target,
    wantedStatus: 200,
    answerBytes,
  });

  return {
    openStream: (miner, order, maxBytes, signal) =>
      openShardStream({
        transport,
        clock,
        miner,
        target: `/v1/shards?order=${order}&max=${maxBytes}`,
        check: (signed, sent) => check(miner, order, sent, signed),
        signal,
      }),

    async putShard(miner, order, frame, signal) {
      const label = frame.label.length > 0 ? `&label=${toBase64Url(frame.label)}` : '';
      const { anchorId, holdUntilMs, shard, blindKey } = frame;
      const sent = { anchorId, holdUntilMs, bytes: shard.length };
      const type = blindKey ? '&type=2' : '';
      const query = `bytes=${shard.length}&order=${order}&hold=${holdUntilMs}&ref=${frame.ref}${label}${type}`;
      const answer = await transport.read(
        miner,
        {
          method: 'PUT',
          target: `/v1/shards/${frame.anchorId}?${query}`,
          wantedStatus: 201,
          body: blindKey ? concatBytes(blindKey, shard) : shard,
          contentType: 'application/octet-stream',
          answerBytes: RECEIPT_BYTES,
        },
        signal,
      );
      return answer.ok ? check(miner, order, sent, answer.value.body) : answer;
    },

    async readReceipt(miner, order, anchorId, bytes, signal) {
      const target = `/v1/shards/${anchorId}/receipt?order=${order}`;
      const answer = await transport.read(miner, get(target, RECEIPT_BYTES), signal);
      if (!answer.ok) return answer;
      // What hold was asked is not known here; the engine's frame said it, and the miner signed what it keeps.
      return check(miner, order, { anchorId, bytes, holdUntilMs: 0 }, answer.value.body);
    },

    readShards: (miner, shards, signal, turn) => readShards(transport, miner, shards, signal, turn),

    async headShard(miner, anchorId, signal) {
      const request = { method: 'HEAD', target: `/v1/shards/${anchorId}`, wantedStatus: 200, answerBytes: 0 } as const;
      const answer = await transport.read(miner, request, signal);
      if (!answer.ok) return answer;
      const length = answer.value.headers.get('content-length') ?? '';
      if (!/^[0-9]{1,10}$/.test(length)) return broken(miner, 'a HEAD without the length of the shard');
      return succeed({ bytes: Number(length) });
    },

    async health(miner, signal) {
      const nonce = random(HEALTH_NONCE_BYTES);
      const answer = await transport.read(miner, get(`/health?nonce=${toHex(nonce)}`, MAX_SMALL_ANSWER_BYTES), signal);
      if (!answer.ok) return answer;
      const { body, headers } = answer.value;
      const signature = fromHex(headers.get(HEALTH_SIGNATURE_HEADER) ?? '', 64);
      const statement = healthStatement(nonce, miner.hotkey, await sha256(body));
      if (!signature || !verify(statement, signature, publicKeyOf(miner.hotkey))) {
        return broken(miner, 'the health answer is not signed by the miner');
      }
      const health = parseHealth(body);
      if (!health || health.hotkey !== miner.hotkey) return broken(miner, 'the health answer is malformed');
      return succeed(health);
    },

    async hello(miner, address, signal) {
      const ip = u128OfAddress(address.ip);
      if (ip === undefined) return fail(minerFailure(miner.hotkey, 'unreachable', `${address.ip} is no address`));
      const nonce = random(32);
      const answer = await transport.read(miner, get(`/v1/hello?nonce=${toHex(nonce)}`, HELLO_BYTES), signal);
      if (!answer.ok) return answer;
      const opened = openSigned(verify, 'hello', answer.value.body, parseHello, () => miner.hotkey);
      if (!opened.ok) return broken(miner, opened.failure.message);
      const hello = opened.value;
      const mine =
        toHex(hello.nonce) === toHex(nonce) && hello.caller === signer.hotkey && hello.miner === miner.hotkey;
      if (!mine) return broken(miner, 'the hello answers another question');
      if (hello.ip !== ip || hello.port !== address.port) return broken(miner, 'the miner claims another address');
      return succeed(undefined);
    },

    async listShards(miner, cursor, limit, signal) {
      const count = Math.min(limit, MAX_LIST_ITEMS);
      const target = `/v1/shards?limit=${count}${cursor === undefined ? '' : `&cursor=${cursor}`}`;
      const answer = await transport.read(miner, get(target, LIST_ANSWER_BYTES + MAX_LIST_ITEM_BYTES * count), signal);
      if (!answer.ok) return answer;
      const page = parseListing(answer.value.body, count);
      return page ? succeed(page) : broken(miner, 'the listing is malformed');
    },

    async challenge(miner, challenge, answerBytes, signal) {
      invariant(signer.hotkey === tenant, 'only the tenant challenges');
      const answer = await transport.read(
        miner,
        {
          method: 'POST',
          target: '/v1/challenges',
          wantedStatus: 200,
          body: encodeChallengeBody(challenge),
          contentType: 'application/octet-stream',
          answerBytes,
          totalMs: challengeDeadlineMs(answerBytes),
        },
        signal,
      );
      return answer.ok ? succeed(answer.value.body) : answer;
    },

    async drop(miner, anchors, action, reason, signal) {
      invariant(signer.hotkey === tenant, 'only the tenant signs drop orders');
      invariant(anchors.length >= 1 && anchors.length <= MAX_DROP_ITEMS, 'a drop order names 1 to 4096 shards');
      const statement = encodeOrder(network, {
        tenant,
        miner: miner.hotkey,
        order: newOrderId(random),
        issuedAtMs: clock.nowMs(),
        action,
        reason,
        anchorIds: anchors,
      });
      const signed = signStatement(signer, statement);
      const answer = await transport.read(
        miner,
        {
          method: 'POST',
          target: '/v1/drops',
          wantedStatus: 200,
          body: signed,
          contentType: 'application/octet-stream',
          answerBytes: DROP_RECEIPT_BYTES + 33 * anchors.length,
        },
        signal,
      );
      if (!answer.ok) return answer;
      const parse = (bytes: Uint8Array) => parseDrop(network, bytes);
      const opened = openSigned(verify, 'drop', answer.value.body, parse, () => miner.hotkey);
      if (!opened.ok) return broken(miner, opened.failure.message);
      const receipt = opened.value;
      const same =
        receipt.items.length === anchors.length && receipt.items.every((item, i) => item.anchorId === anchors[i]);
      const orderHash = toHex(await sha256(statement));
      if (receipt.miner !== miner.hotkey || toHex(receipt.orderHash) !== orderHash || !same) {
        return broken(miner, 'the drop receipt answers another order');
      }
      await options.onDropReceipt?.(signed, answer.value.body);
      return succeed(receipt.items);
    },
  };
}
