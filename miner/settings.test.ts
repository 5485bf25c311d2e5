import { describe, expect, it } from 'vitest';
import { readSettings } from './settings.ts';
import { KEYS } from './testing/loopback-miner.ts';

const RIGHT = {
  FILETAO_MINER_DATA_DIR: '/var/lib/filetao',
  FILETAO_MINER_CAPACITY_BYTES: '1000000',
  FILETAO_MINER_KEY_FILE: '/etc/filetao/hotkey',
  FILETAO_GENESIS_HASH: `0x${'ab'.repeat(32)}`,
  FILETAO_NETUID: '21',
  FILETAO_TENANTS: KEYS.tenant.hotkey,
};

describe('settings', () => {
  it('have defaults for what can have one', () => {
    const read = readSettings(RIGHT);
    expect(read.ok && read.settings).toMatchObject({
      host: '127.0.0.1',
      port: 8091,
      externalIp: 0x7f000001n,
      externalPort: undefined,
      freeFloorBytes: 2 ** 30,
      holdMs: 72 * 3_600_000,
      metrics: undefined,
      logLevel: 'info',
      netuid: 21,
      tenants: [{ hotkey: KEYS.tenant.hotkey, quotaBytes: Number.MAX_SAFE_INTEGER }],
    });
  });

  it('take quotas per tenant', () => {
    const read = readSettings({
      ...RIGHT,
      FILETAO_TENANTS: ` ${KEYS.tenant.hotkey}:5 , ${KEYS.otherTenant.hotkey},`,
      FILETAO_MINER_EXTERNAL_IP: '203.0.113.7',
    });
    expect(read.ok && read.settings.tenants?.map((tenant) => tenant.quotaBytes)).toEqual([5, Number.MAX_SAFE_INTEGER]);
    expect(read.ok && read.settings.externalIp).toBe(0xcb007107n);
  });

  it.each([
    ['FILETAO_MINER_DATA_DIR', '', 'is not set'],
    ['FILETAO_MINER_PORT', '70000', 'must lie between 0 and 65535'],
    ['FILETAO_MINER_PORT', '0x50', 'must be a whole number'],
    ['FILETAO_MINER_EXTERNAL_IP', 'miner.example', 'must be the IPv4 or IPv6 address'],
    ['FILETAO_MINER_EXTERNAL_PORT', '0', 'must lie between 1 and 65535'],
    ['FILETAO_MINER_CAPACITY_BYTES', '1e9', 'must be a whole number'],
    ['FILETAO_MINER_CAPACITY_BYTES', '-1', 'must be a whole number'],
    ['FILETAO_GENESIS_HASH', '0x12', 'must be 32 bytes of hexadecimal'],
    ['FILETAO_NETUID', '65536', 'must lie between 0 and 65535'],
    ['FILETAO_TENANTS', 'nobody', '"nobody" is not hotkey or hotkey:quotaBytes'],
    ['FILETAO_TENANTS', `${KEYS.tenant.hotkey}:1.5`, 'is not hotkey or hotkey:quotaBytes'],
    ['FILETAO_TENANTS', `${KEYS.tenant.hotkey},${KEYS.tenant.hotkey}`, 'each hotkey once'],
    ['FILETAO_TENANTS', ' , ', 'names no tenant'],
    ['FILETAO_SUBTENSOR', 'mainnet', 'must be finney, test, local'],
    ['FILETAO_SUBTENSOR', 'http://127.0.0.1:9944', 'must be finney, test, local'],
    ['FILETAO_TENANT_MIN_STAKE', '-1', 'must be an amount such as 0.5'],
    ['FILETAO_REGISTER_AT_MOST', '1e3', 'must be an amount such as 0.5'],
    ['FILETAO_ANNOUNCE', 'never', ''],
    ['FILETAO_CHAIN_EVERY_MS', '1', 'must lie between 100'],
    ['FILETAO_LOG_LEVEL', 'loud', ''],
  ])('%s=%s is one line that names it', (name, value, what) => {
    const read = readSettings({ ...RIGHT, [name]: value });
    expect(read.ok ? [] : read.lines).toHaveLength(1);
    expect(read.ok ? '' : read.lines[0]).toMatch(
      new RegExp(`^${name} .*${what.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`),
    );
  });

  it('name every wrong one at once', () => {
    const read = readSettings({});
    const needed = ['FILETAO_MINER_DATA_DIR', 'FILETAO_MINER_CAPACITY_BYTES', 'FILETAO_NETUID'];
    expect(read.ok ? [] : read.lines).toEqual(needed.map((name) => `${name} is not set`));
    const chainless = readSettings({
      ...RIGHT,
      FILETAO_GENESIS_HASH: '',
      FILETAO_TENANTS: '',
      FILETAO_MINER_KEY_FILE: '',
    });
    expect(chainless.ok ? [] : chainless.lines).toEqual([
      'FILETAO_GENESIS_HASH is not set (or name a chain with FILETAO_SUBTENSOR)',
      'FILETAO_TENANTS is not set (or name a chain with FILETAO_SUBTENSOR)',
      'FILETAO_MINER_KEY_FILE is not set (or name a wallet with FILETAO_WALLET)',
    ]);
  });

  it('ask the chain for what is not given', () => {
    const { FILETAO_GENESIS_HASH: _genesis, FILETAO_TENANTS: _tenants, ...rest } = RIGHT;
    const read = readSettings({ ...rest, FILETAO_SUBTENSOR: 'finney', FILETAO_TENANT_MIN_STAKE: '1000.5' });
    expect(read.ok && read.settings).toMatchObject({
      chain: { endpoint: 'wss://entrypoint-finney.opentensor.ai:443', pace: { perSecond: 1 } },
      genesis: undefined,
      tenants: undefined,
      tenantMinStakeRao: 1_000_500_000_000n,
      announce: 'self',
      registerAtMostRao: undefined,
    });
  });

  it('name a hotkey by its wallet', () => {
    const { FILETAO_MINER_KEY_FILE: _file, ...rest } = RIGHT;
    const wallet = { FILETAO_WALLET: 'mine', FILETAO_HOTKEY: 'first', BT_WALLETS_PATH: '/wallets' };
    const read = readSettings({ ...rest, ...wallet, FILETAO_REGISTER_AT_MOST: '0.5' });
    expect(read.ok && read.settings).toMatchObject({
      key: { kind: 'wallet', root: '/wallets', wallet: 'mine', hotkey: 'first' },
      registerAtMostRao: 500_000_000n,
    });
    const file = readSettings({ ...RIGHT, FILETAO_REGISTER_AT_MOST: '0.5' });
    expect(file.ok ? [] : file.lines).toEqual(['FILETAO_REGISTER_AT_MOST needs FILETAO_WALLET: its coldkey pays']);
  });

  it('ask for the address to claim where all are listened on', () => {
    const read = readSettings({ ...RIGHT, FILETAO_MINER_HOST: '0.0.0.0' });
    expect(read.ok ? [] : read.lines).toEqual(['FILETAO_MINER_EXTERNAL_IP is not set']);
  });
});
