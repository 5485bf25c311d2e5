import { describe, expect, test } from 'vitest';
import { hotkeyOf } from '#shared/primitives/ids.ts';
import { newestSecret, readSettings } from './settings.ts';

const right = {
  UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:8079',
  UPSTASH_REDIS_REST_TOKEN: 'token',
  EDGE_HOTKEY_SEED: '11'.repeat(32),
  TENANT_HOTKEY: hotkeyOf(new Uint8Array(32).fill(5)),
  GENESIS_HASH: `0x${'ab'.repeat(32)}`,
  NETUID: '21',
  MASK_SECRETS: `1:${'22'.repeat(32)},0:${'33'.repeat(32)}`,
  MINER_URL_PATTERN: 'http://{ip}:{port}',
};

test('right settings are read, the rest has defaults', () => {
  const outcome = readSettings(right);
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.wrong));
  const { settings } = outcome;
  expect(settings.netuid).toBe(21);
  expect(settings.genesisHash).toEqual(new Uint8Array(32).fill(0xab));
  expect(settings.collectGraceMs).toBe(86_400_000);
  expect(settings.publicReads).toBe(false);
  expect(settings.corsOrigins).toEqual([]);
  expect(newestSecret(settings)).toEqual({ epoch: 1, secret: new Uint8Array(32).fill(0x22) });
});

test('every required setting that is missing is named', () => {
  const outcome = readSettings({});
  const named = outcome.ok ? [] : outcome.wrong.map(({ setting }) => setting);
  expect(named.sort()).toEqual(Object.keys(right).sort());
});

describe('a wrong setting is named, its value is not', () => {
  const wrong: readonly { setting: string; value: string }[] = [
    { setting: 'UPSTASH_REDIS_REST_URL', value: 'redis://secret' },
    { setting: 'UPSTASH_REDIS_REST_TOKEN', value: '' },
    { setting: 'EDGE_HOTKEY_SEED', value: 'secret' },
    { setting: 'EDGE_HOTKEY_SEED', value: '11'.repeat(31) },
    { setting: 'TENANT_HOTKEY', value: 'secret' },
    { setting: 'GENESIS_HASH', value: 'ab' },
    { setting: 'NETUID', value: '65536' },
    { setting: 'NETUID', value: '-1' },
    { setting: 'NETUID', value: '1e3' },
    { setting: 'MASK_SECRETS', value: 'secret' },
    { setting: 'MASK_SECRETS', value: `0:${'22'.repeat(32)},0:${'33'.repeat(32)}` },
    { setting: 'MASK_SECRETS', value: `65536:${'22'.repeat(32)}` },
    { setting: 'MINER_URL_PATTERN', value: 'http://secret.example' },
    { setting: 'CORS_ORIGINS', value: 'https://a.example/path' },
    { setting: 'MAX_FILE_BYTES', value: '0' },
    { setting: 'SESSION_MS', value: '5 minutes' },
    { setting: 'PUBLIC_READS', value: 'yes' },
    { setting: 'OPEN_ACCOUNTS', value: '1' },
  ];
  test.each(wrong)('$setting=$value', ({ setting, value }) => {
    const outcome = readSettings({ ...right, [setting]: value });
    if (outcome.ok) throw new Error('accepted');
    expect(outcome.wrong.map((item) => item.setting)).toEqual([setting]);
    if (value.includes('secret')) expect(JSON.stringify(outcome.wrong)).not.toContain('secret"');
  });
});
