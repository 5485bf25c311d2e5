import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '#shared/primitives/bytes.ts';
import { systemClock } from '#shared/primitives/effects.ts';
import { hotkeyOf, type MinerNumber } from '#shared/primitives/ids.ts';
import { directoryDigest, encodeDirectory } from '#shared/proof/directory.ts';
import { MemoryIndex } from '#shared/testing/memory-index.ts';
import { signerFromSeed, verify } from '#shared/wire/sr25519-scure.ts';
import type { DirectorySnapshot, MinerEntry } from './ports.ts';
import { isSealed, sealedDirectory, sealSnapshot } from './sealed-directory.ts';

const tenant = signerFromSeed(new Uint8Array(32).fill(1));
const stranger = signerFromSeed(new Uint8Array(32).fill(2));
const network = { genesis: new Uint8Array(32).fill(7), netuid: 21 };
const expected = { network, tenant: tenant.hotkey, verify };

const miner = (number: number): MinerEntry => ({
  number: number as MinerNumber,
  hotkey: hotkeyOf(new Uint8Array(32).fill(number)),
  coldkey: hotkeyOf(new Uint8Array(32).fill(100 + number)),
  address: { ip: '9.0.0.9', port: 9000 + number },
  freeBytes: 1000,
  capacityBytes: 2000,
  accepting: true,
});
const [first, second] = [miner(1), miner(2)];
const SNAPSHOT: DirectorySnapshot = { takenAtMs: 1_700_000_000_000, miners: [first, second] };
const sealed = sealSnapshot({ signer: tenant, network }, SNAPSHOT);

it('takes what its tenant signed, and the empty directory of a new index', () => {
  expect(isSealed(expected, sealed)).toBe(true);
  expect(isSealed(expected, sealSnapshot({ signer: tenant, network }, { takenAtMs: 5, miners: [] }))).toBe(true);
  expect(isSealed(expected, { takenAtMs: 0, miners: [] })).toBe(true);
});

const changed = (change: Partial<MinerEntry>): DirectorySnapshot => ({
  ...sealed,
  miners: [{ ...first, ...change }, second],
});
describe('must refuse', () => {
  it.each<[string, DirectorySnapshot]>([
    ['no signature', SNAPSHOT],
    ['an empty one that was taken, unsigned', { takenAtMs: 1, miners: [] }],
    ['a stranger’s signature', sealSnapshot({ signer: stranger, network }, SNAPSHOT)],
    ['another netuid', sealSnapshot({ signer: tenant, network: { ...network, netuid: 22 } }, SNAPSHOT)],
    ['another chain', sealSnapshot({ signer: tenant, network: { ...network, genesis: new Uint8Array(32) } }, SNAPSHOT)],
    ['a short signature', { ...sealed, signature: (sealed.signature as Uint8Array).slice(1) }],
    ['another time', { ...sealed, takenAtMs: SNAPSHOT.takenAtMs + 1 }],
    ['a miner less', { ...sealed, miners: [first] }],
    ['a miner more', { ...sealed, miners: [first, second, miner(3)] }],
    ['another order', { ...sealed, miners: [second, first] }],
    ['another address', changed({ address: { ip: '9.0.0.8', port: 9001 } })],
    ['another port', changed({ address: { ip: '9.0.0.9', port: 9002 } })],
    ['another hotkey', changed({ hotkey: second.hotkey })],
    ['another coldkey', changed({ coldkey: second.coldkey })],
    ['another number', changed({ number: 9 as MinerNumber })],
    ['other free bytes', changed({ freeBytes: 1001 })],
    ['another capacity', changed({ capacityBytes: 2001 })],
    ['a miner that takes nothing', changed({ accepting: false })],
  ])('%s', (_, snapshot) => {
    expect(isSealed(expected, snapshot)).toBe(false);
  });
});

it('hands through what is signed and fails as an unusable index where it is not', async () => {
  const index = new MemoryIndex(systemClock);
  const directory = sealedDirectory(index, expected);
  expect(await directory.read()).toMatchObject({ miners: [] });
  await index.publish(sealed);
  expect(await directory.read()).toEqual(sealed);
  await index.publish(SNAPSHOT);
  await expect(directory.read()).rejects.toThrow(/not signed by/);
});

it('has a known statement (docs/protocol.md §7)', () => {
  const digest = directoryDigest(SNAPSHOT.miners);
  const statement = encodeDirectory(network, {
    tenant: tenant.hotkey,
    takenAtMs: SNAPSHOT.takenAtMs,
    miners: 2,
    digest,
  });
  expect([toHex(digest), toHex(statement)]).toMatchInlineSnapshot(`
    [
      "3027dcca3dd8d896545908663251feab52a5483787ba832b9df3e8d2fa5a4b56",
      "66696c6574616f2f6469726563746f72792f763100070707070707070707070707070707070707070707070707070707070707070700000015189dac29296d31814dc8c56cf3d36a0543372bba7538fa322a4aebfebc39e0560000018bcfe56800000000023027dcca3dd8d896545908663251feab52a5483787ba832b9df3e8d2fa5a4b56",
    ]
  `);
  expect(fromHex(toHex(statement))).toEqual(statement);
});
