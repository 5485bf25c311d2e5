import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from './address.ts';
import { dashed, minerUrlOf, parseDashed, parseHostPattern } from './miner-url.ts';

const literal = parseHostPattern('http://{ip}:{port}');
const zone = parseHostPattern('http://{ip-with-dashes}.miners.example.org:{port}');

describe('minerUrlOf', () => {
  it.each([
    [literal, '203.0.113.7', 'http://203.0.113.7:9001'],
    [literal, '2a01:4F8:0::1', 'http://[2a01:4f8::1]:9001'],
    [literal, '::ffff:1.2.3.4', 'http://1.2.3.4:9001'],
    [zone, '203.0.113.7', 'http://203-0-113-7.miners.example.org:9001'],
    [zone, '2a01:4f8::1', 'http://2a01-4f8--1.miners.example.org:9001'],
    [zone, '2a01:4f8::', 'http://2a01-4f8--0.miners.example.org:9001'],
  ])('fills %o with %s', (pattern, ip, url) => {
    expect(minerUrlOf(pattern, { ip, port: 9001 })).toBe(url);
    expect(new URL(url).origin).toBe(url);
  });
  it.each([
    ['evil.example', 9001],
    ['1.2.3.4@evil.example', 9001],
    ['1.2.3.4/', 9001],
    ['{port}', 9001],
    ['', 9001],
    ['1.2.3.4', 0],
    ['1.2.3.4', 65_536],
    ['1.2.3.4', 80.5],
    ['1.2.3.4', Number.NaN],
  ])('makes no URL of %j and %d', (ip, port) => {
    expect(minerUrlOf(zone, { ip, port })).toBeUndefined();
  });
});

describe('a host pattern', () => {
  it.each([
    'http://miners.example.org:{port}',
    'http://{host}:{port}',
    'ftp://{ip}:{port}',
    '{ip}:{port}',
    'http://{ip}:{port}/',
    'http://{ip}:{port}/path',
    'http://{ip}:{port}?x',
    'http://user@{ip}:{port}',
    'http://{ip}:80',
    'HTTP://{ip}:{port}',
    'http://{ip}{port}:x',
    '',
  ])('is refused as %j', (text) => {
    expect(() => parseHostPattern(text)).toThrow(TypeError);
  });
  it('may name a fixed port or none', () => {
    expect(minerUrlOf(parseHostPattern('https://{ip-with-dashes}.m.example'), { ip: '1.2.3.4', port: 1 })).toBe(
      'https://1-2-3-4.m.example',
    );
  });
});

describe('dashed names', () => {
  it('name every address once, as a DNS label', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseAddress(text);
        if (!address) throw new Error('no address');
        const label = dashed(address);
        expect(label).toMatch(/^[0-9a-f](?:[0-9a-f-]{0,61}[0-9a-f])?$/);
        expect(parseDashed(label)).toEqual(address);
      }),
    );
  });
  it.each(['', '1-2-3', '1-2-3-256', '01-2-3-4', 'x', '-1', '1-2-3-4-5', '--', '2A01--1', '0-0-0-0-0-0-0-1'])(
    'refuse the label %j',
    (label) => {
      expect(parseDashed(label)).toBeUndefined();
    },
  );
});
