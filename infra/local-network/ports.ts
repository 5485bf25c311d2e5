/** Free ports on loopback: the same as last time where possible, so that noted addresses go on working. */
import { createServer } from 'node:net';

const HOST = '127.0.0.1';

/** True when a server could listen there now. */
export function isPortFree(port: number): Promise<boolean> {
  return listenOnce(port).then(
    () => true,
    () => false,
  );
}

/** Given out by this process: many are chosen before anybody listens on one, and the system may pick one twice. */
const given = new Set<number>();

/** The wanted port if it is free, else one that the system picks; 0 wants any. */
export async function freePort(wanted: number): Promise<number> {
  if (wanted !== 0 && (await isPortFree(wanted))) {
    given.add(wanted);
    return wanted;
  }
  for (;;) {
    const port = await listenOnce(0);
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: HOST, exclusive: true }, () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
