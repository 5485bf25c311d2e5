import { describe, expect, it } from 'vitest';
import { readNetworkSettings } from './network-settings.ts';
import { PUBLIC_PACE, UNLIMITED_PACE } from './rpc-pace.ts';

function settings(flags: Record<string, string>, environment: Record<string, string> = {}) {
  const read = readNetworkSettings(flags, environment);
  if (!read.ok) throw new Error(read.lines.join('; '));
  return read.settings;
}

describe('network settings', () => {
  it('knows the networks by name, and how fast each may be asked', () => {
    const finney = settings({ '--netuid': '21' });
    expect(finney).toMatchObject({
      network: 'finney',
      endpoint: 'wss://entrypoint-finney.opentensor.ai:443',
      netuid: 21,
    });
    expect(finney.pace).toBe(PUBLIC_PACE);
    expect(settings({ '--network': 'test', '--netuid': '0' }).endpoint).toBe('wss://test.finney.opentensor.ai:443');
    const local = settings({ '--network': 'local' });
    expect(local).toMatchObject({ endpoint: 'ws://127.0.0.1:9944', netuid: 21 });
    expect(local.pace).toBe(UNLIMITED_PACE);
  });

  it('takes any node, and is gentle to the public ones by whatever name', () => {
    expect(settings({ '--network': 'ws://10.0.0.5:9944', '--netuid': '7' })).toMatchObject({
      network: 'custom',
      netuid: 7,
    });
    const publicNode = settings({ '--network': 'wss://entrypoint-finney.opentensor.ai', '--netuid': '7' });
    expect(publicNode.pace).toBe(PUBLIC_PACE);
  });

  it('lets flags win over the environment, and an empty variable be none', () => {
    const environment = { FILETAO_SUBTENSOR: 'test', FILETAO_NETUID: '9', FILETAO_AXON_PORT: '' };
    expect(settings({ '--netuid': '3' }, environment)).toMatchObject({
      network: 'test',
      netuid: 3,
      axon: { port: 8091 },
    });
  });

  it('derives the external address and port from what is listened on', () => {
    const open = settings({ '--netuid': '1' }).axon;
    expect(open).toEqual({ ip: '0.0.0.0', port: 8091, externalIp: undefined, externalPort: 8091 });
    const bound = settings({ '--netuid': '1', '--axon.ip': '8.8.8.8', '--axon.port': '9000' }).axon;
    expect(bound).toEqual({ ip: '8.8.8.8', port: 9000, externalIp: '8.8.8.8', externalPort: 9000 });
    const environment = { FILETAO_AXON_EXTERNAL_IP: '2001:DB8::1', FILETAO_AXON_EXTERNAL_PORT: '443' };
    expect(settings({ '--netuid': '1' }, environment).axon).toMatchObject({
      externalIp: '2001:db8::1',
      externalPort: 443,
    });
  });

  it('names wallets as Bittensor does', () => {
    expect(settings({ '--netuid': '1' }).wallet).toEqual({ name: 'default', hotkey: 'default', path: undefined });
    const flags = { '--netuid': '1', '--wallet.name': 'w', '--wallet.hotkey': 'h', '--wallet.path': '/keys' };
    expect(settings(flags).wallet).toEqual({ name: 'w', hotkey: 'h', path: '/keys' });
  });

  it.each([
    { id: 'no netuid off local', flags: {}, line: '--netuid' },
    { id: 'no netuid on a node of one’s own', flags: { '--network': 'ws://127.0.0.1:1' }, line: '--netuid' },
    { id: 'netuid too large', flags: { '--netuid': '65536' }, line: '--netuid must' },
    { id: 'netuid with a leading zero', flags: { '--netuid': '021' }, line: '--netuid must' },
    { id: 'negative netuid', flags: { '--netuid': '-1' }, line: '--netuid must' },
    { id: 'unknown network', flags: { '--network': 'main', '--netuid': '1' }, line: '--network must' },
    { id: 'http node', flags: { '--network': 'http://x', '--netuid': '1' }, line: '--network must' },
    { id: 'broken URL', flags: { '--network': 'ws://', '--netuid': '1' }, line: '--network must' },
    { id: 'port 0', flags: { '--netuid': '1', '--axon.port': '0' }, line: '--axon.port must' },
    {
      id: 'host name as address',
      flags: { '--netuid': '1', '--axon.external_ip': 'me.example' },
      line: '--axon.external_ip must',
    },
  ])('refuses $id in one line that begins with the name', ({ flags, line }) => {
    const read = readNetworkSettings(flags, {});
    expect(read.ok).toBe(false);
    if (!read.ok) expect(read.lines).toEqual([expect.stringMatching(`^${line.replace('.', '\\.')}`)]);
  });

  it('names the variable when that is where the mistake is', () => {
    const read = readNetworkSettings({}, { FILETAO_SUBTENSOR: 'nowhere', FILETAO_NETUID: 'x' });
    expect(read).toMatchObject({
      ok: false,
      lines: [/FILETAO_SUBTENSOR/, /FILETAO_NETUID/].map((part) => expect.stringMatching(part)),
    });
  });
});
