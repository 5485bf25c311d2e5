import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { toHex } from '#shared/primitives/bytes.ts';
import { hotkeyOf } from '#shared/primitives/ids.ts';
import {
  connect,
  keys,
  makeBlocks,
  NETUID,
  startChain,
  stopChain,
  surfaceOf,
  type TestChain,
} from './testing/test-chain.ts';

const NEURONS = 256;
const BLOCKS = 1000;

describe('a subnet of 256 neurons', () => {
  let chain: TestChain;
  beforeAll(async () => {
    const { of } = await keys();
    const coldkey = of('Alice').address;
    const neurons = Array.from({ length: NEURONS - 1 }, (_, i) => ({
      hotkey: hotkeyOf(new Uint8Array(32).fill(1).fill(i, 0, 1)),
      coldkey,
      stake: i,
    }));
    chain = await startChain({ neurons });
    makeBlocks(chain, 13);
  });
  afterAll(() => stopChain(chain));

  it('is answered and decoded within a second', async () => {
    const api = await connect(chain.url);
    const { ask } = surfaceOf(api);
    const timed = async (method: string, section = 'subnetInfoRuntimeApi') => {
      const begun = performance.now();
      const found = await ask<{ length: number; hotkeys: string[] }>(section, method, NETUID);
      return { ms: performance.now() - begun, found };
    };
    const lite = await timed('getNeuronsLite', 'neuronInfoRuntimeApi');
    const graph = await timed('getMetagraph');
    await api.disconnect();
    expect(lite.found).toHaveLength(NEURONS);
    expect(graph.found.hotkeys).toHaveLength(NEURONS);
    expect(lite.ms).toBeLessThan(1000);
    expect(graph.ms).toBeLessThan(1000);
  });

  /** Listens to finalized heads and asks for those it missed by number, as a client must; ends when it is cut off. */
  function follow(from: number, onBlock: (number: number, hash: string) => void) {
    const socket = new WebSocket(chain.url);
    const asked = new Map<number, number>();
    let next = from;
    const ask = (id: number, method: string, params: unknown[]) =>
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    socket.on('open', () => ask(1, 'chain_subscribeFinalizedHeads', []));
    socket.on('message', (data) => {
      const message = JSON.parse(data.toString());
      const number = asked.get(message.id);
      if (number !== undefined) onBlock(number, message.result);
      const head = Number(message.params?.result?.number ?? 0);
      for (; next <= head; next++) {
        asked.set(next + 10, next);
        ask(next + 10, 'chain_getBlockHash', [next]);
      }
    });
    return socket;
  }

  it('gives each of 1,000 blocks once to a client that is cut off again and again', async () => {
    const first = chain.chain.finalized.header.number + 1;
    const seen: number[] = [];
    let cuts = 0;
    for (; seen.length < BLOCKS; cuts++) {
      const socket = follow(first + seen.length, (number, hash) => {
        expect(hash).toBe(`0x${toHex(chain.chain.blocks.at(number)?.hash ?? new Uint8Array(0))}`);
        seen.push(number);
      });
      await new Promise((resolve) => socket.on('open', resolve));
      makeBlocks(chain, 60);
      const reached = () => expect(seen.at(-1)).toBe(chain.chain.finalized.header.number);
      await vi.waitFor(reached, { timeout: 15_000, interval: 5 });
      socket.terminate();
      makeBlocks(chain, 40);
    }
    expect(cuts).toBeGreaterThanOrEqual(10);
    expect(seen).toEqual(seen.map((_, i) => first + i));
  });
});
