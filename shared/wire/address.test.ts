import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOfChain, isPublicAddress, parseAddress, u128OfAddress } from './address.ts';

const must = (text: string) => {
  const address = parseAddress(text);
  if (!address) throw new Error(`${text} did not parse`);
  return address;
};

describe('parseAddress', () => {
  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::ffff:a00:1', '10.0.0.1'],
    ['0:0:0:0:0:ffff:7f00:1', '127.0.0.1'],
  ])('reads %s as %s', (text, canonical) => {
    expect(must(text).text).toBe(canonical);
  });
  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4 ',
    '0x7f.0.0.1',
    '2130706433',
    '1.2.3.-4',
    '1..3.4',
    '١.2.3.4',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '[::1]',
    'fe80::1%eth0',
    '1.2.3.4::',
    '::1.2.3',
    '::1.2.3.4.5',
    '::1.2.3.4:5',
    '::01.2.3.4',
    ':1',
    '1:',
    `${'0:'.repeat(40)}1`,
    'localhost',
    'example.org',
  ])('refuses %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
  it('agrees with the platform on every canonical text, and gives it back', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = must(text);
        expect(isIP(address.text)).toBe(address.version);
        expect(parseAddress(address.text)).toEqual(address);
        expect(addressOfChain(address.value, address.version)).toEqual(address);
        if (address.version === 6) expect(new URL(`http://[${text}]/`).hostname).toBe(`[${address.text}]`);
      }),
    );
  });
  it('never accepts what the platform does not', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-f:.]{0,24}$/), (text) => {
        if (parseAddress(text)) expect(isIP(text)).not.toBe(0);
        else expect(isIP(text)).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the chain's numbers", () => {
  it.each([
    [0x7f000001n, 4, '127.0.0.1'],
    [1n, 6, '::1'],
    [(0xffffn << 32n) | 0x0a000001n, 6, '10.0.0.1'],
    [0x20010db8n << 96n, 6, '2001:db8::'],
  ])('%s of type %i is %s', (ip, type, text) => {
    expect(addressOfChain(ip, type)?.text).toBe(text);
  });
  it.each([
    [1n << 32n, 4],
    [-1n, 4],
    [1n << 128n, 6],
    [1n, 5],
    [1n, 0],
  ])('refuse %s of type %i', (ip, type) => {
    expect(addressOfChain(ip, type)).toBeUndefined();
  });
  it('put an IPv4 address into the low four bytes', () => {
    expect(u128OfAddress('1.2.3.4')).toBe(0x01020304n);
    expect(u128OfAddress('::ffff:1.2.3.4')).toBe(0x01020304n);
    expect(u128OfAddress('x')).toBeUndefined();
  });
});

describe('isPublicAddress', () => {
  it.each([
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.1.1.1',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.1',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2606:4700::1111',
    '2a01:4f8::1',
    '2001:200::1',
    '2001:4860::8888',
    '3ffe::1',
    '::ffff:1.1.1.1',
  ])('lets %s through', (text) => {
    expect(isPublicAddress(must(text))).toBe(true);
  });
  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '10.255.255.255',
    '100.64.0.0',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.255',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.7',
    '203.0.113.9',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:169.254.169.254',
    '64:ff9b::7f00:1',
    '100::1',
    'fe80::1',
    'fc00::1',
    'fd00::1',
    'ff02::1',
    '2001::1',
    '2001:1ff::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    '4000::1',
    '1fff::1',
    '::127.0.0.1',
  ])('stops %s', (text) => {
    expect(isPublicAddress(must(text))).toBe(false);
  });
});
