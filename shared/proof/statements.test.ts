/** Every statement but the answer (`verify-answer.test.ts`): known answers, round trips, and what is refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, toHex } from '#shared/primitives/bytes.ts';
import { type AnchorId, type Hotkey, hotkeyOf } from '#shared/primitives/ids.ts';
import {
  knownDropOrder,
  knownDropReceipt,
  knownGrant,
  knownHello,
  knownNetwork,
  knownRecord,
  knownRequest,
  knownStore,
} from '#shared/testing/known-statements.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import vectors from '../../test/vectors/coding-v1.json' with { type: 'json' };
import { encodeRecord, parseRecord } from './audit-record.ts';
import {
  encodeRequest,
  MAX_REQUEST_ITEMS,
  MAX_ROUND_LEAVES,
  MAX_SWEEP_LEAVES,
  parseRequest,
} from './challenge-request.ts';
import { encodeOrder, parseOrder } from './drop-order.ts';
import { encodeDrop, parseDrop } from './drop-receipt.ts';
import { encodeGrant, MAX_GRANT_MS, parseGrant } from './grant.ts';
import { encodeHello, parseHello } from './hello.ts';
import { type Network, openSigned, type Parsed, type StatementName, signStatement, splitSigned } from './statement.ts';
import { encodeStore, parseStore } from './store-receipt.ts';

const { statements } = vectors;
const sr25519 = await loadSr25519();
const signer = sr25519.signerFromSeed(new Uint8Array(32).fill(1));
const stranger = sr25519.signerFromSeed(new Uint8Array(32).fill(2));

/** A statement's codec with its types forgotten, so that one table serves all. */
interface Codec {
  readonly id: StatementName;
  readonly value: object;
  readonly known?: string;
  readonly encode: (network: Network, value: never) => Uint8Array;
  readonly parse: (network: Network, bytes: Uint8Array) => Parsed<object>;
}
const codecs: Codec[] = [
  { id: 'grant', value: knownGrant, known: statements.grant.bytes, encode: encodeGrant, parse: parseGrant },
  {
    id: 'hello',
    value: knownHello,
    known: statements.hello.bytes,
    encode: (_, value) => encodeHello(value),
    parse: (_, bytes) => parseHello(bytes),
  },
  { id: 'store', value: knownStore, known: statements.storeReceipt.bytes, encode: encodeStore, parse: parseStore },
  { id: 'order', value: knownDropOrder, known: statements.dropOrder.bytes, encode: encodeOrder, parse: parseOrder },
  { id: 'drop', value: knownDropReceipt, known: statements.dropReceipt.bytes, encode: encodeDrop, parse: parseDrop },
  { id: 'request', value: knownRequest, known: statements.request.bytes, encode: encodeRequest, parse: parseRequest },
  { id: 'record', value: knownRecord, encode: encodeRecord, parse: parseRecord },
];
const encoded = (codec: Codec, network = knownNetwork): Uint8Array => codec.encode(network, codec.value as never);
const flip = (bytes: Uint8Array, bit: number): Uint8Array => {
  const flipped = bytes.slice();
  flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
  return flipped;
};

describe.each(codecs)('$id', (codec) => {
  const bytes = encoded(codec);

  it('has the known bytes, and is read back from them', () => {
    if (codec.known) expect(toHex(bytes)).toBe(codec.known);
    expect(codec.parse(knownNetwork, bytes)).toEqual({ ok: true, value: codec.value });
  });

  it('is refused under every other tag', () => {
    for (const other of codecs) {
      if (other === codec) continue;
      const refused = codec.parse(knownNetwork, encoded(other));
      expect(refused).toMatchObject({ ok: false, failure: { statement: codec.id, reason: 'tag', fault: 'peer' } });
    }
  });

  it('is refused at every other length', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(codec.parse(knownNetwork, bytes.subarray(0, length)).ok).toBe(false);
    }
    for (const more of [1, 33, 34, 64]) {
      const longer = concatBytes(bytes, new Uint8Array(more));
      expect(codec.parse(knownNetwork, longer)).toMatchObject({ ok: false, failure: { reason: 'length' } });
    }
  });

  it('is refused on another network', () => {
    if (codec.id === 'hello') return; // bound to one question by its nonce instead
    for (const network of [
      { ...knownNetwork, netuid: 22 },
      { ...knownNetwork, genesis: flip(knownNetwork.genesis, 255) },
    ]) {
      expect(codec.parse(network, bytes)).toMatchObject({ ok: false, failure: { reason: 'network' } });
    }
  });

  it('with any bit changed is refused or says something else, in one spelling', () => {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const parsed = codec.parse(knownNetwork, flip(bytes, bit));
      if (!parsed.ok) continue;
      expect(parsed.value).not.toEqual(codec.value);
      expect(codec.encode(knownNetwork, parsed.value as never)).toEqual(flip(bytes, bit));
    }
  });

  it('survives arbitrary bytes after its tag without a throw', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length), fc.uint8Array({ maxLength: 200 }), (keep, tail) => {
        const parsed = codec.parse(knownNetwork, concatBytes(bytes.subarray(0, keep), tail));
        if (parsed.ok) expect(codec.encode(knownNetwork, parsed.value as never)).toHaveLength(keep + tail.length);
      }),
      { numRuns: 200 },
    );
  });

  const open = (signed: Uint8Array, by: Hotkey = signer.hotkey) =>
    openSigned(
      sr25519.verify,
      codec.id,
      signed,
      (statement) => codec.parse(knownNetwork, statement),
      () => by,
    );

  it('opens under its signer, and under nobody else', () => {
    const signed = signStatement(signer, bytes);
    expect(signed).toHaveLength(bytes.length + 64);
    expect(open(signed)).toEqual({ ok: true, value: codec.value });
    expect(open(signed, stranger.hotkey)).toMatchObject({ ok: false, failure: { reason: 'signature' } });
  });

  it('signed is refused with one bit changed in any byte', () => {
    const signed = signStatement(signer, bytes);
    for (let byte = 0; byte < signed.length; byte++) expect(open(flip(signed, 8 * byte + (byte % 8))).ok).toBe(false);
  });

  it('signed is refused cut short or extended', () => {
    const signed = signStatement(signer, bytes);
    for (const length of [0, 1, 63, 64, 65, 96, signed.length - 64, signed.length - 1]) {
      expect(open(signed.subarray(0, length)).ok).toBe(false);
    }
    expect(open(concatBytes(signed, new Uint8Array(1))).ok).toBe(false);
  });
});

const id = (byte: number): AnchorId => byte.toString(16).padStart(2, '0').repeat(32) as AnchorId;
const items = (count: number, leaves: number) =>
  Array.from({ length: count }, (_, i) => ({ anchorId: i.toString(16).padStart(64, '0') as AnchorId, leaves }));
const request = (changes: Partial<typeof knownRequest>) => encodeRequest(knownNetwork, { ...knownRequest, ...changes });
const order = (changes: Partial<typeof knownDropOrder>) => encodeOrder(knownNetwork, { ...knownDropOrder, ...changes });
const grant = (changes: Partial<typeof knownGrant>) => encodeGrant(knownNetwork, { ...knownGrant, ...changes });
const drop = (changes: Partial<typeof knownDropReceipt>) =>
  encodeDrop(knownNetwork, { ...knownDropReceipt, ...changes });
const record = (changes: Partial<typeof knownRecord>) => encodeRecord(knownNetwork, { ...knownRecord, ...changes });
const patched = (bytes: Uint8Array, at: number, ...values: number[]): Uint8Array => {
  const out = bytes.slice();
  out.set(values, at < 0 ? bytes.length + at : at);
  return out;
};

describe('what is accepted at the edge of what is allowed', () => {
  it.each([
    ['a grant to put alone', parseGrant(knownNetwork, grant({ get: false }))],
    ['a grant to get alone', parseGrant(knownNetwork, grant({ put: false }))],
    ['a grant of one millisecond', parseGrant(knownNetwork, grant({ untilMs: knownGrant.fromMs + 1 }))],
    ['an order to restore', parseOrder(knownNetwork, order({ action: 'restore', reason: 255 }))],
    ['an order of unsorted shards', parseOrder(knownNetwork, order({ anchorIds: [id(9), id(1)] }))],
    ['an order of no shards', parseOrder(knownNetwork, order({ anchorIds: [] }))],
    ['a request without items', parseRequest(knownNetwork, request({ items: [], leaves: 0 }))],
    [
      'a sweep of 256 shards',
      parseRequest(
        knownNetwork,
        request({ items: items(MAX_REQUEST_ITEMS, MAX_SWEEP_LEAVES), leaves: 512, sweep: true }),
      ),
    ],
    [
      'thirty shards of one leaf',
      parseRequest(knownNetwork, request({ items: items(MAX_ROUND_LEAVES, 1), leaves: 30 })),
    ],
    ['an IPv6 hello', parseHello(encodeHello({ ...knownHello, ip: (1n << 128n) - 1n }))],
  ])('%s', (_, parsed) => {
    expect(parsed.ok).toBe(true);
  });
});

describe('what is refused', () => {
  const grantBytes = grant({});
  const rightsAt = grantBytes.length - 17;
  const countAt = order({}).length - 36;
  it.each([
    ['a grant of no rights', 'range', parseGrant(knownNetwork, grant({ put: false, get: false }))],
    ['a grant of unknown rights', 'range', parseGrant(knownNetwork, patched(grantBytes, rightsAt, 4))],
    ['a grant of known and unknown rights', 'range', parseGrant(knownNetwork, patched(grantBytes, rightsAt, 7))],
    [
      'a grant for more than a day',
      'range',
      parseGrant(knownNetwork, grant({ untilMs: knownGrant.fromMs + MAX_GRANT_MS + 1 })),
    ],
    ['a grant that ends as it begins', 'range', parseGrant(knownNetwork, grant({ untilMs: knownGrant.fromMs }))],
    ['a grant that ends before it begins', 'range', parseGrant(knownNetwork, grant({ untilMs: 1 }))],
    ['a time beyond 2^53', 'length', parseGrant(knownNetwork, patched(grantBytes, -8, 255))],
    ['an order of action 0', 'range', parseOrder(knownNetwork, patched(order({}), countAt - 2, 0))],
    ['an order of action 3', 'range', parseOrder(knownNetwork, patched(order({}), countAt - 2, 3))],
    [
      'an order that names a shard twice',
      'items',
      parseOrder(knownNetwork, order({ anchorIds: [id(1), id(2), id(1)] })),
    ],
    ['an order that counts one shard less', 'length', parseOrder(knownNetwork, patched(order({}), countAt + 3, 0))],
    ['an order that counts one shard more', 'length', parseOrder(knownNetwork, patched(order({}), countAt + 3, 2))],
    [
      'an order that counts four thousand million shards',
      'length',
      parseOrder(knownNetwork, patched(order({}), countAt, 255, 255, 255, 255)),
    ],
    ['a drop receipt of state 0', 'range', parseDrop(knownNetwork, patched(drop({}), -1, 0))],
    ['a drop receipt of state 5', 'range', parseDrop(knownNetwork, patched(drop({}), -1, 5))],
    [
      'a drop receipt that names a shard twice',
      'items',
      parseDrop(
        knownNetwork,
        drop({
          items: [
            { anchorId: id(1), state: 'held' },
            { anchorId: id(1), state: 'erased' },
          ],
        }),
      ),
    ],
    [
      'a drop receipt that counts more shards than it has',
      'length',
      parseDrop(knownNetwork, patched(drop({}), -37, 255, 255, 255, 255)),
    ],
    [
      'unsorted request items',
      'items',
      parseRequest(knownNetwork, request({ items: [...knownRequest.items].reverse() })),
    ],
    [
      'repeated request items',
      'items',
      parseRequest(
        knownNetwork,
        request({
          items: [
            { anchorId: id(1), leaves: 1 },
            { anchorId: id(1), leaves: 1 },
          ],
          leaves: 2,
        }),
      ),
    ],
    [
      '257 request items',
      'items',
      parseRequest(knownNetwork, request({ items: items(257, 1), leaves: 257, sweep: true })),
    ],
    ['a shard of no leaves', 'range', parseRequest(knownNetwork, request({ items: items(2, 0), leaves: 0 }))],
    ['31 leaves in a round', 'range', parseRequest(knownNetwork, request({ items: items(31, 1), leaves: 31 }))],
    ['31 leaves of one shard', 'range', parseRequest(knownNetwork, request({ items: items(1, 31), leaves: 31 }))],
    [
      'three leaves of a shard in a sweep',
      'range',
      parseRequest(knownNetwork, request({ items: items(2, 3), leaves: 6, sweep: true })),
    ],
    ['a K that is not the sum of all kᵢ', 'range', parseRequest(knownNetwork, request({ leaves: 29 }))],
    ['a K without items', 'range', parseRequest(knownNetwork, request({ items: [] }))],
    ['a record of fewer items than were asked', 'length', parseRecord(knownNetwork, record({ items: [] }))],
    [
      'a record of more items than were asked',
      'length',
      parseRecord(knownNetwork, record({ items: [...knownRecord.items, ...knownRecord.items] })),
    ],
    ['a record of verdict 6', 'range', parseRecord(knownNetwork, patched(record({}), -32 - 33, 6))],
    [
      'a record of a request that is none',
      'items',
      parseRecord(knownNetwork, record({ request: { ...knownRequest, items: [...knownRequest.items].reverse() } })),
    ],
    ['a record whose request is longer than itself', 'length', parseRecord(knownNetwork, patched(record({}), 24, 255))],
    ['nothing at all', 'tag', parseGrant(knownNetwork, new Uint8Array(0))],
  ])('%s', (_, reason, parsed) => {
    expect(parsed).toMatchObject({ ok: false, failure: { code: 'bad-statement', reason } });
  });
});

describe('signing', () => {
  it('is never done over a bare 32-byte message', () => {
    expect(() => signStatement(signer, new Uint8Array(32))).toThrow('32-byte');
    expect(splitSigned(concatBytes(new Uint8Array(32), signer.sign(new Uint8Array(32))))).toBeUndefined();
  });

  it('leaves the choice of whom to trust with the caller', () => {
    const validator = hotkeyOf(signer.publicKey);
    const signed = signStatement(signer, grant({ validator }));
    const parse = (bytes: Uint8Array) => parseGrant(knownNetwork, bytes);
    expect(openSigned(sr25519.verify, 'grant', signed, parse, (value) => value.validator).ok).toBe(true);
    expect(openSigned(sr25519.verify, 'grant', signed, parse, (value) => value.edge).ok).toBe(false);
  });
});
