import { describe, expect, it } from 'vitest';
import { groupsOf, internetGroups, loopbackGroups } from './groups.ts';

describe('groups', () => {
  it.each([
    { ip: '203.0.113.77', network: 'net4:203.0.113' },
    { ip: '2001:db8:12:34::1', network: 'net6:2001:db8:12' },
    { ip: '2001:db8::1', network: 'net6:2001:db8:0' },
    { ip: '2a00::', network: 'net6:2a00:0:0' },
    { ip: '::1', network: 'net6:0:0:0' },
    { ip: '2001:0DB8:0012:0034:0:0:0:1', network: 'net6:2001:db8:12' },
    { ip: '::ffff:192.0.2.1', network: 'net6:0:0:0' },
    { ip: '1:2:3:4:5:6:7::', network: 'net6:1:2:3' },
    { ip: '1::4:5:6:7:8', network: 'net6:1:0:0' },
  ])('puts $ip into $network', ({ ip, network }) => {
    const miner = { coldkey: 'owner', address: { ip, port: 8091 } };
    expect(groupsOf(miner, internetGroups)).toEqual(['coldkey:owner', network, `endpoint:${ip}:8091`]);
  });

  it('tells loopback miners apart by port alone', () => {
    const at = (port: number) => groupsOf({ coldkey: `c${port}`, address: { ip: '127.0.0.1', port } }, loopbackGroups);
    expect(at(1)).toEqual(['coldkey:c1', 'endpoint:127.0.0.1:1']);
    expect(at(1).filter((group) => at(2).includes(group))).toEqual([]);
  });
});
