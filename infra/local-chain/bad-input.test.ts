import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { toHex } from '#shared/primitives/bytes.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import { RUNTIME } from './metadata/runtime-declaration.ts';
import { MAX_EXTRINSIC_BYTES, signedPayload } from './runtime/extrinsic.ts';
import { encode, encodeLength } from './scale/encode.ts';
import type { ScaleValue } from './scale/type.ts';
import { headOf, makeBlocks, NETUID, startChain, stopChain, type TestChain } from './testing/test-chain.ts';

const MORTAL_64 = { type: 'Mortal5', value: 0 };
const remark: ScaleValue = { type: 'System', value: { type: 'remark', value: { remark: new Uint8Array(3) } } };

describe('bad input', () => {
  let chain: TestChain;
  let http: string;
  let signer: ReturnType<Awaited<ReturnType<typeof loadSr25519>>['signerFromSeed']>;

  beforeAll(async () => {
    signer = (await loadSr25519()).signerFromSeed(new Uint8Array(32).fill(7));
    chain = await startChain({ balances: { [signer.hotkey]: 1000 } });
    http = chain.url.replace('ws:', 'http:');
  });
  afterAll(() => stopChain(chain));

  const post = async (body: string | Uint8Array) => {
    const response = await fetch(http, { method: 'POST', body: body as BodyInit });
    const text = await response.text();
    return { status: response.status, value: text === '' ? undefined : JSON.parse(text) };
  };
  const call = async (method: string, ...params: unknown[]) =>
    (await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))).value;

  interface Forged {
    readonly nonce?: number;
    readonly tip?: bigint;
    readonly era?: ScaleValue;
    readonly call?: ScaleValue;
    readonly version?: number;
    readonly signature?: Uint8Array;
    readonly specVersion?: number;
    readonly genesisHash?: Uint8Array;
    readonly address?: ScaleValue;
    readonly mode?: string;
  }
  const forge = (forged: Forged): string => {
    const values: Record<string, ScaleValue> = {
      CheckMortality: forged.era ?? { type: 'Immortal' },
      CheckNonce: forged.nonce ?? 0,
      ChargeTransactionPayment: forged.tip ?? 0n,
      CheckMetadataHash: { mode: { type: forged.mode ?? 'Disabled' } },
    };
    const extensions = RUNTIME.extensions.map(({ identifier, type }) => encode(type, values[identifier] ?? {}));
    const tail = Buffer.concat(extensions);
    const callBytes = encode(RUNTIME.callType, forged.call ?? remark);
    const payload = signedPayload(Buffer.concat([callBytes, tail]), {
      specVersion: forged.specVersion ?? 424,
      transactionVersion: 1,
      genesisHash: forged.genesisHash ?? chain.chain.genesisHash,
      birthHash: chain.chain.genesisHash,
    });
    const body = Buffer.concat([
      Uint8Array.of(forged.version ?? 0x84),
      encode(RUNTIME.addressType, forged.address ?? { type: 'Id', value: signer.publicKey }),
      encode(RUNTIME.signatureType, { type: 'Sr25519', value: forged.signature ?? signer.sign(payload) }),
      tail,
      callBytes,
    ]);
    return `0x${toHex(Buffer.concat([encodeLength(body.length), body]))}`;
  };
  const submit = async (forged: Forged) => (await call('author_submitExtrinsic', forge(forged))).error;
  const weights = (value: object): ScaleValue => ({
    type: 'SubtensorModule',
    value: { type: 'set_weights', value: { netuid: NETUID, dests: [], weights: [], version_key: 0n, ...value } },
  });

  it.each([
    ['no JSON', '{', -32_700],
    ['nothing', '', -32_700],
    ['a number', '1', -32_600],
    ['null', 'null', -32_600],
    ['an empty batch', '[]', -32_600],
    ['too large a batch', JSON.stringify(Array(101).fill({ jsonrpc: '2.0', id: 1, method: 'system_name' })), -32_010],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"system_name"}', -32_600],
    ['no method', '{"jsonrpc":"2.0","id":1}', -32_600],
    ['an object as id', '{"jsonrpc":"2.0","id":{},"method":"system_name"}', -32_600],
    ['parameters by name', '{"jsonrpc":"2.0","id":1,"method":"system_name","params":{"a":1}}', -32_600],
    ['an unknown method', '{"jsonrpc":"2.0","id":1,"method":"system_halt"}', -32_601],
    ['a name of every object', '{"jsonrpc":"2.0","id":1,"method":"constructor"}', -32_601],
    ['a subscription over HTTP', '{"jsonrpc":"2.0","id":1,"method":"chain_subscribeNewHeads"}', -32_601],
    ['a missing parameter', '{"jsonrpc":"2.0","id":1,"method":"state_getStorage"}', -32_602],
    ['a key that is no hexadecimal', '{"jsonrpc":"2.0","id":1,"method":"state_getStorage","params":["0xzz"]}', -32_602],
    ['half a byte', '{"jsonrpc":"2.0","id":1,"method":"state_getStorage","params":["0x1"]}', -32_602],
    ['too large a page', '{"jsonrpc":"2.0","id":1,"method":"state_getKeysPaged","params":["0x",5000]}', -32_602],
    [
      'an unknown block',
      `{"jsonrpc":"2.0","id":1,"method":"state_getStorage","params":["0x","0x${'11'.repeat(32)}"]}`,
      4003,
    ],
    ['an unknown runtime method', '{"jsonrpc":"2.0","id":1,"method":"state_call","params":["Core_halt","0x"]}', 4003],
    [
      'a runtime call with too few bytes',
      '{"jsonrpc":"2.0","id":1,"method":"state_call","params":["NeuronInfoRuntimeApi_get_neurons_lite","0x15"]}',
      4003,
    ],
    [
      'a runtime call with bytes left over',
      '{"jsonrpc":"2.0","id":1,"method":"state_call","params":["NeuronInfoRuntimeApi_get_neurons_lite","0x15000000"]}',
      4003,
    ],
    ['no address', '{"jsonrpc":"2.0","id":1,"method":"system_accountNextIndex","params":["5Grw"]}', -32_602],
  ])('answers %s with its code', async (_, body, code) => {
    expect((await post(body)).value.error.code).toBe(code);
  });

  it('answers the parts of a batch one by one, and no notification', async () => {
    const { value } = await post('[{"jsonrpc":"2.0","id":7,"method":"system_name"},1,{"jsonrpc":"2.0","method":"x"}]');
    expect(value).toHaveLength(2);
    expect(value[0]).toMatchObject({ id: 7, result: expect.any(String) });
    expect(value[1]).toMatchObject({ id: null, error: { code: -32_600 } });
    expect((await post('{"jsonrpc":"2.0","method":"system_name"}')).status).toBe(204);
    expect((await fetch(http)).status).toBe(405);
  });

  it('refuses a request that is too large, on both transports', async () => {
    expect((await post('x'.repeat(1_100_000))).status).toBe(413);
    const socket = new WebSocket(chain.url);
    const closed = new Promise<number>((resolve) => socket.on('close', resolve));
    socket.on('open', () => socket.send('x'.repeat(1_100_000)));
    socket.on('error', () => undefined);
    expect(await closed).toBe(1009);
  });

  it.each<[string, Forged, number, string | RegExp]>([
    ['a wrong signature', { signature: new Uint8Array(64).fill(1) }, 1010, 'Transaction has a bad signature'],
    ['another chain', { genesisHash: new Uint8Array(32) }, 1010, 'Transaction has a bad signature'],
    ['another runtime', { specVersion: 423 }, 1010, 'Transaction has a bad signature'],
    ['an era whose block is not there yet', { era: { type: 'Mortal165', value: 0 } }, 1010, /ancient birth block/],
    ['a tip that it cannot pay', { tip: 10n ** 18n }, 1010, /Inability to pay/],
    [
      'an unknown account that should pay',
      { address: { type: 'Id', value: new Uint8Array(32) } },
      1010,
      /bad signature/,
    ],
    [
      'an address that cannot be looked up',
      { address: { type: 'Raw', value: new Uint8Array(3) } },
      1011,
      /Could not lookup/,
    ],
    ['a metadata hash that we have not', { mode: 'Enabled' }, 1011, /Could not lookup/],
    ['an inherent', { call: { type: 'Timestamp', value: { type: 'set', value: { now: 1n } } } }, 1010, /not expected/],
    [
      'too large an extrinsic',
      { call: { type: 'System', value: { type: 'remark', value: { remark: new Uint8Array(MAX_EXTRINSIC_BYTES) } } } },
      1010,
      /exhaust/,
    ],
    ['a nonce that is too far ahead', { nonce: 500 }, 1016, ''],
    ['weights without stake', { call: weights({}) }, 1010, 'Custom error: 1'],
  ])('refuses %s', async (_, forged, code, data) => {
    const error = await submit(forged);
    expect(error.code).toBe(code);
    expect(error.data ?? '').toMatch(data);
  });

  it('refuses bytes that are no extrinsic, and unsigned ones', async () => {
    for (const bytes of ['0x', '0x00', '0x04', '0xff', '0x280402000b00000000000000', forge({ version: 0x85 })]) {
      expect((await call('author_submitExtrinsic', bytes)).error.code).toBe(1001);
    }
    const unsigned = await call('chain_getBlock').then((found) => found.result.block.extrinsics[0]);
    if (unsigned) expect((await call('author_submitExtrinsic', unsigned)).error.code).toBe(1011);
  });

  it('refuses a second time what waits, a rival without a higher tip, and a nonce that was used', async () => {
    expect(await submit({ nonce: 0 })).toBeUndefined();
    const waiting = (await call('author_pendingExtrinsics')).result;
    expect(waiting).toHaveLength(1);
    expect((await call('author_submitExtrinsic', waiting[0])).error.code).toBe(1013);
    const other: ScaleValue = { type: 'System', value: { type: 'remark', value: { remark: new Uint8Array(1) } } };
    expect((await submit({ nonce: 0, call: other })).code).toBe(1014);
    expect(await submit({ nonce: 0, call: other, tip: 1n })).toBeUndefined();
    expect((await call('author_pendingExtrinsics')).result).toHaveLength(1);
    makeBlocks(chain, 1);
    const stale = await submit({ nonce: 0 });
    expect([stale.code, stale.data]).toEqual([1010, 'Transaction is outdated']);
    expect((await call('author_pendingExtrinsics')).result).toEqual([]);
  });

  it('lets an extrinsic of an era in while it lasts', async () => {
    expect(await submit({ nonce: 1, era: MORTAL_64 })).toBeUndefined();
    makeBlocks(chain, 1);
    expect((await call('account_nextIndex', signer.hotkey)).result).toBe(2);
    makeBlocks(chain, 64);
    expect((await submit({ nonce: 2, era: MORTAL_64 })).data).toBe('Transaction has a bad signature');
  });

  it('bounds subscriptions by connection and ends them with it', async () => {
    const socket = new WebSocket(chain.url);
    await new Promise((resolve) => socket.on('open', resolve));
    const answers: { id: number; result?: string; error?: { code: number } }[] = [];
    const done = new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        const message = JSON.parse(data.toString());
        if (message.id !== undefined) answers.push(message);
        if (message.id === 1024) resolve();
      });
    });
    for (let id = 0; id <= 1024; id++) {
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'state_subscribeRuntimeVersion', params: [] }));
    }
    await done;
    expect(answers.filter(({ result }) => result)).toHaveLength(1024);
    expect(answers.at(-1)?.error?.code).toBe(-32_006);
    socket.terminate();
  });

  it('lives through any bytes as message, parameter and extrinsic', async () => {
    const methods = [
      'state_call',
      'state_getStorage',
      'state_getKeysPaged',
      'state_queryStorageAt',
      'chain_getBlockHash',
    ];
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.jsonValue(), fc.nat(4), async (bytes, json, which) => {
        expect((await post(bytes)).value?.error).toBeDefined();
        expect((await call('author_submitExtrinsic', `0x${toHex(bytes)}`)).error).toBeDefined();
        const answered = await call(methods[which] as string, json, json);
        expect('result' in answered || answered.error.code < 0 || answered.error.code === 4003).toBe(true);
      }),
      { numRuns: 60 },
    );
    const whole = Buffer.from(forge({ nonce: 2 }).slice(2), 'hex');
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const bent = Uint8Array.from(whole);
        bent[at] = (bent[at] ?? 0) ^ mask;
        const { error } = await call('author_submitExtrinsic', `0x${toHex(bent)}`);
        expect([1001, 1010, 1011, 1016]).toContain(error?.code);
      }),
      // Byte 3 is the form of the signer's address: `Address32` would be the same account.
      { numRuns: 100, examples: [[3, 3]] },
    );
    const before = headOf(chain);
    makeBlocks(chain, 1);
    expect(headOf(chain)).toBe(before + 1);
  });
});
