import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { silentLog } from '#shared/primitives/effects.ts';
import { isPublicAddress, parseAddress } from '#shared/wire/address.ts';
import { answerTo, type Zone } from './answer.ts';
import { serveZone } from './serve-zone.ts';

const zone: Zone = {
  name: 'miners.example.org',
  nameServers: ['ns1.example.org', 'ns2.example.org'],
  mailbox: 'hostmaster.example.org',
};
const query = (name: string, type: dnsPacket.RecordType = 'A'): Buffer =>
  dnsPacket.encode({ type: 'query', id: 7, questions: [{ type, name }] });
const ask = (name: string, type?: dnsPacket.RecordType) => {
  const answer = answerTo(zone, query(name, type));
  return dnsPacket.decode(Buffer.from(answer ?? []));
};
const rcode = (packet: dnsPacket.DecodedPacket): number => (packet.flags ?? 0) & 15;

describe('the miner zone', () => {
  it.each([
    ['9-9-9-9.miners.example.org', 'A', '9.9.9.9'],
    ['9-9-9-9.MINERS.example.org', 'A', '9.9.9.9'],
    ['2606-4700--1111.miners.example.org', 'AAAA', '2606:4700::1111'],
  ] as const)('finds the address in %s', (name, type, ip) => {
    const packet = ask(name, type);
    expect(rcode(packet)).toBe(0);
    expect(packet.answers).toMatchObject([{ type, name, data: ip }]);
  });
  it('knows its name servers and its SOA', () => {
    expect(ask(zone.name, 'NS').answers?.map((answer) => ('data' in answer ? answer.data : ''))).toEqual(
      zone.nameServers,
    );
    expect(ask(zone.name, 'SOA').answers).toMatchObject([{ type: 'SOA' }]);
  });
  it.each([
    ['an address that no miner may have', '127-0-0-1.miners.example.org', 3],
    ['a private address', '10-1-2-3.miners.example.org', 3],
    ['a leading zero', '9-9-9-09.miners.example.org', 3],
    ['a number over 255', '9-9-9-256.miners.example.org', 3],
    ['a fifth number', '9-9-9-9-9.miners.example.org', 3],
    ['a word', 'www.miners.example.org', 3],
    ['a label below an address', 'x.9-9-9-9.miners.example.org', 3],
    ['another zone', '9-9-9-9.example.org', 5],
    ['a zone that only ends alike', '9-9-9-9.otherminers.example.org', 5],
  ])('refuses %s', (_, name, code) => {
    const packet = ask(name);
    expect(rcode(packet)).toBe(code);
    expect(packet.answers).toEqual([]);
  });
  it('says that a name has no record of another type, and does not deny the name', () => {
    const packet = ask('9-9-9-9.miners.example.org', 'AAAA');
    expect([rcode(packet), packet.answers, packet.authorities?.length]).toEqual([0, [], 1]);
  });
  it('says that it implements no other kind of query', () => {
    const inverse = dnsPacket.encode({
      type: 'query',
      id: 7,
      flags: 0x0800,
      questions: [{ type: 'A', name: zone.name }],
    });
    expect(rcode(dnsPacket.decode(Buffer.from(answerTo(zone, inverse) ?? [])))).toBe(4);
  });
  it('answers no answers, and no garbage, with more than a refusal', () => {
    expect(answerTo(zone, dnsPacket.encode({ type: 'response', id: 1, questions: [] }))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (garbage) => {
        const answer = answerTo(zone, garbage);
        expect(answer === undefined || answer.length <= 1200).toBe(true);
      }),
    );
  });
  it('has every public IPv4 address, and no other', () => {
    fc.assert(
      fc.property(fc.ipV4(), (ip) => {
        const address = parseAddress(ip);
        const found = ask(`${ip.replaceAll('.', '-')}.${zone.name}`).answers ?? [];
        expect(found.map((answer) => ('data' in answer ? answer.data : ''))).toEqual(
          address && isPublicAddress(address) ? [ip] : [],
        );
      }),
    );
  });
});

describe('its server', () => {
  it('answers over UDP and over TCP', async () => {
    const server = await serveZone(zone, '127.0.0.1', 0, silentLog);
    const message = query('9-9-9-9.miners.example.org');
    const udp = createSocket('udp4');
    udp.send(message, server.port, '127.0.0.1');
    const [overUdp] = (await once(udp, 'message')) as [Buffer];
    udp.close();

    const tcp = connect(server.port, '127.0.0.1');
    tcp.write(Buffer.concat([Buffer.from([0, message.length]), message.subarray(0, 5)]));
    tcp.write(message.subarray(5));
    const [overTcp] = (await once(tcp, 'data')) as [Buffer];
    tcp.end();
    expect(overTcp.subarray(2)).toEqual(overUdp);
    expect(dnsPacket.decode(overUdp).answers).toMatchObject([{ data: '9.9.9.9' }]);
    await server.stop();
  });
  it('closes a TCP connection that announces a query no name needs', async () => {
    const server = await serveZone(zone, '127.0.0.1', 0, silentLog);
    const tcp = connect(server.port, '127.0.0.1');
    tcp.on('error', () => {});
    tcp.write(Buffer.from([0xff, 0xff]));
    await once(tcp, 'close');
    await server.stop();
  });
});
