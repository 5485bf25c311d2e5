import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { BodyReader } from './body.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A request as it arrives over a real connection, and the connection to send its body by. */
async function arriving(head: string): Promise<{ readonly request: IncomingMessage; readonly socket: Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  closers.push(() => {
    socket.destroy();
    server.close();
    server.closeAllConnections();
  });
  socket.write(head);
  const [request] = (await once(server, 'request')) as [IncomingMessage];
  return { request, socket };
}
const SIX = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n';

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

describe('BodyReader', () => {
  it('gives the whole body and then its end', async () => {
    const { request, socket } = await arriving(SIX);
    const reader = new BodyReader(request);
    socket.write('abc');
    expect(String(await reader.next(5000))).toBe('abc');
    socket.write('def');
    expect(String(await reader.next(5000))).toBe('def');
    expect(await reader.next(5000)).toBeUndefined();
    expect(await reader.next(5000)).toBeUndefined();
  });

  it('gives up after the silence allowed, and not before', async () => {
    const { request, socket } = await arriving(SIX);
    const reader = new BodyReader(request);
    socket.write('abc');
    await reader.next(5000);
    const started = performance.now();
    await expect(reader.next(50)).rejects.toMatchObject({ code: 'idle' });
    expect(performance.now() - started).toBeGreaterThanOrEqual(45);
  });

  it('does not count the time that the reader takes', async () => {
    const { request, socket } = await arriving(SIX);
    const reader = new BodyReader(request);
    socket.write('abcdef');
    await once(request, 'data');
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(String(await reader.next(10))).toBe('abcdef');
  });

  it('says truncated when the connection breaks, before and while it is asked', async () => {
    const { request, socket } = await arriving(SIX);
    const reader = new BodyReader(request);
    socket.write('abc');
    await reader.next(5000);
    const asked = reader.next(5000);
    socket.destroy();
    await expect(asked).rejects.toMatchObject({ code: 'truncated' });
    await expect(reader.next(5000)).rejects.toMatchObject({ code: 'truncated' });
  });

  it('gives what is due at once, however it came', async () => {
    const { request, socket } = await arriving(SIX);
    const reader = new BodyReader(request);
    const asked = reader.next(5000, 4);
    for (const piece of ['a', 'b', 'cde']) {
      socket.write(piece);
      await once(request, 'data');
    }
    expect(text(await asked)).toBe('abcde');
    socket.write('f');
    // More is asked for than comes: the end gives what there is.
    expect(text(await reader.next(5000, 4))).toBe('f');
    expect(await reader.next(5000, 4)).toBeUndefined();
  });

  it('counts the silence from the last byte, while it waits for what is due', async () => {
    const { request, socket } = await arriving(SIX);
    const reader = new BodyReader(request);
    const started = performance.now();
    const asked = reader.next(60, 6);
    const refused = expect(asked).rejects.toMatchObject({ code: 'idle' });
    await new Promise((resolve) => setTimeout(resolve, 40));
    socket.write('abc');
    await refused;
    expect(performance.now() - started).toBeGreaterThanOrEqual(90);
  });

  it('leaves in the socket what nobody asks for', async () => {
    const bytes = 64 * 2 ** 20;
    const { request, socket } = await arriving(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`);
    const reader = new BodyReader(request);
    const sent = new Promise((resolve) => socket.write(new Uint8Array(bytes), resolve));
    const first = await reader.next(5000, bytes);
    expect(first?.length).toBeGreaterThanOrEqual(64 * 1024);
    expect(first?.length).toBeLessThan(256 * 1024);
    const race = Promise.race([sent.then(() => 'sent'), new Promise((resolve) => setTimeout(resolve, 100, 'waiting'))]);
    expect(await race).toBe('waiting');
    let read = first?.length ?? 0;
    for (let chunk = await reader.next(5000, bytes); chunk; chunk = await reader.next(5000, bytes)) {
      expect(chunk.length).toBeLessThan(256 * 1024);
      read += chunk.length;
    }
    expect(read).toBe(bytes);
  });

  it('ends the wait when it is stopped', async () => {
    const { request } = await arriving(SIX);
    const reader = new BodyReader(request);
    const asked = reader.next(5000);
    reader.stop();
    expect(await asked).toBeUndefined();
  });

  it('reads a body of exactly so many bytes, from no byte on', async () => {
    const { request, socket } = await arriving(SIX);
    socket.write('abcdef');
    expect(String.fromCharCode(...(await new BodyReader(request).exactly(6, 5000)))).toBe('abcdef');
    const empty = await arriving('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
    expect((await new BodyReader(empty.request).exactly(0, 5000)).length).toBe(0);
  });
});
