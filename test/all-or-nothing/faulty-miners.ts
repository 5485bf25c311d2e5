/** The Worker's miner client with a gate in front of it: requests and answers get lost as the gate says. */
import { fail, type Result, succeed } from '#shared/primitives/failure.ts';
import type { MinerNumber } from '#shared/primitives/ids.ts';
import type { MinerClient, MinerFailure, MinerPeer, ShardFrame, ShardStream } from '#shared/wire/ports.ts';
import type { EffectGate } from './effect-gate.ts';

type Answer<T> = Result<T, MinerFailure>;

export function faultyMiners(
  inner: MinerClient,
  gate: EffectGate,
  numberOf: (peer: MinerPeer) => MinerNumber,
): MinerClient {
  const lost = (peer: MinerPeer): Answer<never> =>
    fail({ code: 'unreachable', fault: 'peer', message: 'the connection is gone', miner: peer.hotkey });

  async function ask<T>(peer: MinerPeer, request: () => Promise<Answer<T>>): Promise<Answer<T>> {
    const fate = gate.fateOf(numberOf(peer));
    if (fate === 'lose-request') return lost(peer);
    const answer = await request();
    return fate === 'lose-answer' || gate.dead ? lost(peer) : answer;
  }

  const streamOf = (peer: MinerPeer, stream: ShardStream): ShardStream => ({
    send(frame: ShardFrame) {
      const fate = gate.fateOf(numberOf(peer));
      if (fate === 'lose-request') return { sent: Promise.resolve(), receipt: Promise.resolve(lost(peer)) };
      const { sent, receipt } = stream.send(frame);
      const answer = receipt.then((result) => (fate === 'lose-answer' || gate.dead ? lost(peer) : result));
      return { sent, receipt: answer };
    },
    async finish() {
      if (gate.fateOf(numberOf(peer)) === 'pass') await stream.finish();
      else stream.abort();
    },
    abort: () => stream.abort(),
  });

  return {
    ...inner,
    async openStream(peer, order, maxBytes, signal) {
      const opened = await ask(peer, () => inner.openStream(peer, order, maxBytes, signal));
      return opened.ok ? succeed(streamOf(peer, opened.value)) : opened;
    },
    putShard: (peer, ...rest) => ask(peer, () => inner.putShard(peer, ...rest)),
    readReceipt: (peer, ...rest) => ask(peer, () => inner.readReceipt(peer, ...rest)),
    listShards: (peer, ...rest) => ask(peer, () => inner.listShards(peer, ...rest)),
    drop: (peer, ...rest) => ask(peer, () => inner.drop(peer, ...rest)),
  };
}
