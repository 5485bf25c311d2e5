import { describe, expect, test } from 'vitest';
import type { DirectorySnapshot, MinerEntry } from '#shared/index/ports.ts';
import { hotkeyOf, type MinerNumber } from '#shared/primitives/ids.ts';
import { parseHostPattern } from '#shared/wire/miner-url.ts';
import { DIRECTORY_CACHE_MS, type DirectoryCache, minerNetwork } from './miner-network.ts';
import { publicMinerUrl } from './public-miner-url.ts';

const literal = publicMinerUrl(parseHostPattern('http://{ip}:{port}'));
const named = publicMinerUrl(parseHostPattern('http://{ip-with-dashes}.miners.example:{port}'));

describe('where requests may go', () => {
  test.each([
    { ip: '127.0.0.1', literal: 'http://127.0.0.1:9001', named: undefined },
    { ip: '::1', literal: 'http://[::1]:9001', named: undefined },
    { ip: '8.8.4.4', literal: 'http://8.8.4.4:9001', named: 'http://8-8-4-4.miners.example:9001' },
    { ip: '10.0.0.1', literal: undefined, named: undefined },
    { ip: '192.168.1.1', literal: undefined, named: undefined },
    { ip: '169.254.169.254', literal: undefined, named: undefined },
    { ip: '::ffff:10.0.0.1', literal: undefined, named: undefined },
    { ip: '::ffff:127.0.0.1', literal: 'http://127.0.0.1:9001', named: undefined },
    { ip: 'fe80::1', literal: undefined, named: undefined },
    { ip: 'metadata.internal', literal: undefined, named: undefined },
    { ip: '127.0.0.1@evil.example', literal: undefined, named: undefined },
    { ip: '0127.0.0.1', literal: undefined, named: undefined },
    { ip: '', literal: undefined, named: undefined },
  ])('$ip', ({ ip, ...expected }) => {
    const address = { ip, port: 9001 };
    expect({ literal: literal(address), named: named(address) }).toEqual(expected);
  });
});

test('the directory is read once in ten seconds, whatever asks, and shows only miners that can be asked', async () => {
  const entry = (number: number, ip: string): MinerEntry => ({
    number: number as MinerNumber,
    hotkey: hotkeyOf(new Uint8Array(32).fill(number)),
    coldkey: 'cold',
    address: { ip, port: 9001 },
    freeBytes: 1,
    capacityBytes: 2,
    accepting: true,
  });
  const snapshot: DirectorySnapshot = { takenAtMs: 1, miners: [entry(1, '8.8.4.4'), entry(2, '10.0.0.1')] };
  let reads = 0;
  let nowMs = 0;
  const directory = {
    read: async () => {
      reads++;
      return snapshot;
    },
    numberOf: async () => new Map(),
    publish: async () => undefined,
  };
  const cache: DirectoryCache = {};
  const clock = { nowMs: () => nowMs, sleep: async () => undefined };
  const open = () => minerNetwork(directory, named, cache, clock);
  const peers = await open().peers();
  expect(peers.map(({ number }) => number)).toEqual([1]);
  expect(peers[0]?.groups).toEqual(['coldkey:cold', 'net4:8.8.4', 'endpoint:8.8.4.4:9001']);
  expect((await open().snapshot()).miners.length).toBe(2);
  expect(reads).toBe(1);
  nowMs += DIRECTORY_CACHE_MS;
  await open().peers();
  expect(reads).toBe(2);
});
