/**
 * A proxy that breaks connections as networks do: a request is dropped before it arrives, or it is done and its
 * answer is lost, or it is held back for a while. It stands between an index client and the gateway in tests.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Fate = 'pass' | 'refuse' | 'lose' | { readonly holdUntil: Promise<void> };

export interface FaultyProxy {
  readonly url: string;
  /** Requests since the fate was last set. */
  readonly seen: number;
  /** Decides what becomes of the i-th request from now on, counted from 0. */
  setFate(fate: (i: number) => Fate): void;
  close(): Promise<void>;
}

export async function openFaultyProxy(target: string): Promise<FaultyProxy> {
  let fateOf: (i: number) => Fate = () => 'pass';
  let seen = 0;
  const server = createServer(async (request, response) => {
    const fate = fateOf(seen++);
    if (fate === 'refuse') return void request.socket.destroy();
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    if (typeof fate === 'object') await fate.holdUntil;
    const { authorization = '', 'upstash-encoding': encoding } = request.headers;
    const answer = await fetch(target + (request.url ?? '/'), {
      method: 'POST',
      headers: { authorization, ...(encoding === undefined ? {} : { 'upstash-encoding': String(encoding) }) },
      body: Buffer.concat(parts),
    });
    const body = Buffer.from(await answer.arrayBuffer());
    if (fate === 'lose') return void request.socket.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get seen() {
      return seen;
    },
    setFate(fate) {
      fateOf = fate;
      seen = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
