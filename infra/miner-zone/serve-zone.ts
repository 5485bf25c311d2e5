/** The miner zone's sockets: one UDP and one TCP listener (RFC 7766) on the same port. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Log } from '#shared/primitives/effects.ts';
import { answerTo, type Zone } from './answer.ts';

/** A query fits into 512 bytes (RFC 1035 §4.2.1); EDNS and long names add little. */
const QUERY_BYTES_MAX = 1024;
const TCP_CONNECTIONS_MAX = 128;
const TCP_IDLE_MS = 10_000;
/** Queries answered on one TCP connection before it is closed: nobody holds one for ever. */
const TCP_QUERIES_MAX = 64;

export interface ZoneServer {
  readonly port: number;
  stop(): Promise<void>;
}

function serveConnection(zone: Zone, socket: Socket): void {
  let received = Buffer.alloc(0);
  let answered = 0;
  socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (piece) => {
    received = Buffer.concat([received, piece]);
    while (received.length >= 2) {
      const bytes = received.readUInt16BE(0);
      if (bytes > QUERY_BYTES_MAX || answered >= TCP_QUERIES_MAX) return void socket.destroy();
      if (received.length < 2 + bytes) return;
      const answer = answerTo(zone, received.subarray(2, 2 + bytes));
      received = received.subarray(2 + bytes);
      answered++;
      if (!answer) return void socket.destroy();
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      socket.write(Buffer.concat([length, answer]));
    }
  });
}

/** @param port 0 takes a free one, for both protocols */
export async function serveZone(zone: Zone, host: string, port: number, log: Log): Promise<ZoneServer> {
  const tcp = createServer((socket) => serveConnection(zone, socket));
  tcp.maxConnections = TCP_CONNECTIONS_MAX;
  tcp.listen(port, host);
  await once(tcp, 'listening');
  const bound = tcp.address();
  const boundPort = typeof bound === 'object' && bound ? bound.port : port;

  const udp = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  udp.on('message', (message, from) => {
    const answer = message.length <= QUERY_BYTES_MAX ? answerTo(zone, message) : undefined;
    if (answer) udp.send(answer, from.port, from.address);
  });
  udp.on('error', (error) => log.error('udp-failed', { error: String(error) }));
  udp.bind(boundPort, host);
  await once(udp, 'listening');
  return {
    port: boundPort,
    stop: async () => {
      udp.close();
      tcp.close();
      await Promise.all([once(udp, 'close'), once(tcp, 'close')]);
    },
  };
}
