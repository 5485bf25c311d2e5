import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grantOf, KEYS, type LoopbackMiner, startLoopbackMiner } from '../testing/loopback-miner.ts';
import { send, signedHeaders } from '../testing/raw-request.ts';
import { type Access, matchRoute, ROUTES, type RouteId, splitQuery } from './routes.ts';

const ANCHOR = 'ab'.repeat(32);
const ORDER = 'cd'.repeat(16);

/** A well-formed request for each route: what is refused below is refused for who asks. */
const REQUESTS: { readonly [Id in RouteId]: { readonly target: string; readonly body?: Uint8Array } } = {
  health: { target: '/health' },
  signedHealth: { target: `/health?nonce=${'00'.repeat(32)}` },
  hello: { target: `/v1/hello?nonce=${'00'.repeat(32)}` },
  storeShards: { target: `/v1/shards?order=${ORDER}&max=64` },
  storeShard: {
    target: `/v1/shards/${ANCHOR}?bytes=32&order=${ORDER}&hold=0&ref=1`,
    body: new Uint8Array(32),
  },
  readShard: { target: `/v1/shards/${ANCHOR}` },
  statShard: { target: `/v1/shards/${ANCHOR}` },
  readShards: { target: '/v1/shards/read', body: new Uint8Array(32) },
  readReceipt: { target: `/v1/shards/${ANCHOR}/receipt?order=${ORDER}` },
  listShards: { target: '/v1/shards' },
  drop: { target: '/v1/drops', body: new Uint8Array(300) },
  challenge: { target: '/v1/challenges', body: new Uint8Array(300) },
};
const IDS = Object.keys(ROUTES) as RouteId[];

/** Who may call what, said a second time and apart from the table. */
const MAY: Readonly<Record<Access, readonly string[]>> = {
  anyone: ['nobody', 'stranger', 'put edge', 'get edge', 'tenant'],
  signed: ['stranger', 'put edge', 'get edge', 'tenant'],
  put: ['put edge', 'tenant'],
  get: ['get edge', 'tenant'],
  tenant: ['tenant'],
};

let miner: LoopbackMiner;
beforeAll(async () => {
  miner = await startLoopbackMiner();
});
afterAll(() => miner.remove());

describe('the table of routes', () => {
  const callers = ['nobody', 'stranger', 'put edge', 'get edge', 'tenant'] as const;
  const cases = IDS.flatMap((id) =>
    callers.map((caller) => ({ id, caller, may: MAY[ROUTES[id].access].includes(caller) })),
  );

  it.each(cases)('$id by $caller: $may', async ({ id, caller, may }) => {
    const { target, body } = REQUESTS[id];
    const { method } = ROUTES[id];
    const signer = caller === 'tenant' ? KEYS.tenant : caller === 'stranger' ? KEYS.stranger : KEYS.edge;
    const grant = caller.endsWith('edge')
      ? grantOf({ put: caller === 'put edge', get: caller === 'get edge' })
      : undefined;
    const streamed = id === 'storeShards';
    const headers =
      caller === 'nobody'
        ? {}
        : signedHeaders({ signer, method, target, ...(body ? { body } : {}), ...(grant ? { grant } : {}) });
    const answer = await send(miner.port, {
      method,
      target,
      headers,
      ...(streamed ? { body: new Uint8Array(4) } : body ? { body } : {}),
    });
    const refused = answer.status === 401 || answer.status === 403;
    expect(refused, `${answer.status} ${answer.code}`).toBe(!may);
    if (caller === 'nobody' && !may) expect(answer.status).toBe(401);
  });

  it('has an example of every route', () => {
    for (const id of IDS)
      expect(matchRoute(ROUTES[id].method, REQUESTS[id].target)).toMatchObject({ kind: 'route', id });
  });

  it('knows that only the signature-free routes are open', () => {
    expect(IDS.filter((id) => ROUTES[id].access === 'anyone')).toEqual(['health']);
  });
});

describe('matchRoute', () => {
  it.each([
    ['/v1/shards/../../etc/passwd'],
    [`/v1/shards/${ANCHOR}/../${ANCHOR}`],
    [`/v1/shards/${ANCHOR.slice(2)}`],
    [`/v1/shards/${ANCHOR}00`],
    [`/v1/shards/${ANCHOR.toUpperCase()}`],
    [`/v1/shards/%61${ANCHOR.slice(1)}`],
    [`/v1/shards/${ANCHOR}%00`],
    [`/v1/shards/${ANCHOR}/`],
    [`//v1/shards/${ANCHOR}`],
    ['/v1/shards/..%2f..%2fminer.db'],
    ['/v1/shards/read/'],
    ['/V1/shards'],
    ['http://miner/v1/shards'],
    ['*'],
    [''],
  ])('does not know %s', (target) => {
    expect(matchRoute('GET', target)).toEqual({ kind: 'unknown-route' });
  });

  it('says which methods a known path takes', () => {
    expect(matchRoute('DELETE', `/v1/shards/${ANCHOR}`)).toEqual({
      kind: 'method-not-allowed',
      allow: ['PUT', 'GET', 'HEAD'],
    });
  });

  it('gives nothing but 64 hex digits as an anchor id', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const matched = matchRoute('GET', `/v1/shards/${text}`);
        if (matched.kind === 'route' && matched.anchorId) expect(matched.anchorId).toMatch(/^[0-9a-f]{64}$/);
      }),
    );
  });
});

describe('splitQuery', () => {
  it.each([['a'], ['=1'], ['a=1&a=2'], ['a=1&'], ['&'], ['a=1&&b=2']])('refuses %s', (text) => {
    expect(splitQuery(text)).toBeUndefined();
  });
  it('keeps a value as it stands', () => {
    expect({ ...splitQuery('a=%31&__proto__=x&b=') }).toEqual({ a: '%31', ['__proto__']: 'x', b: '' });
  });
});

describe('queries', () => {
  const refused = (id: RouteId, query: Record<string, string>) => !ROUTES[id].query.safeParse(query).success;
  const put = { bytes: '32', order: ORDER, hold: '0', ref: '1' };
  it.each([
    ['an unknown key', { ...put, kind: '2' }],
    ['a type that there is not', { ...put, type: '3' }],
    ['no order', { bytes: '32', hold: '0', ref: '1' }],
    ['an order in capitals', { ...put, order: ORDER.toUpperCase() }],
    ['a shard that is too small', { ...put, bytes: '31' }],
    ['a shard that is too large', { ...put, bytes: String(2 ** 30) }],
    ['a leading zero', { ...put, bytes: '032' }],
    ['a sign', { ...put, ref: '-1' }],
    ['a fraction', { ...put, bytes: '32.5' }],
    ['an exponent', { ...put, bytes: '1e3' }],
    ['a ref over 64 bits', { ...put, ref: (1n << 64n).toString() }],
    ['a hold over 2^53', { ...put, hold: '99999999999999999999' }],
    ['a label that is too long', { ...put, label: 'A'.repeat(216) }],
    ['a padded label', { ...put, label: 'AA==' }],
  ])('refuse %s', (_, query) => {
    expect(refused('storeShard', query)).toBe(true);
  });
  it('take the largest ref and label', () => {
    expect(refused('storeShard', { ...put, ref: ((1n << 64n) - 1n).toString(), label: 'A'.repeat(212) })).toBe(false);
  });
});
