/**
 * The Worker under the limits that production has and `wrangler dev` forgives (`docs/run-an-edge.md`): every fetch
 * that leaves it passes through here. Bare IP addresses are refused as Cloudflare refuses them, the seventh request
 * that waits for response headers queues, subrequests are counted, and each miner sits at the end of a link with a
 * round trip and a bandwidth of its own.
 */
import http from 'node:http';
import { isIP } from 'node:net';
import { pipeline } from 'node:stream';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { isPublicAddress } from '#shared/wire/address.ts';
import { parseDashed } from '#shared/wire/miner-url.ts';
import { bundleWorker } from './bundle-worker.ts';
import { type Link, newLink, PacedPipe } from './paced-pipe.ts';

/** Requests that may wait for response headers at once; a seventh queues (Workers limits, "simultaneous open connections"). */
const WAITING_FOR_HEADERS_MAX = 6;

/** Host name under which the Worker finds the index; as a hosted Redis would be, it is a name and not an address. */
export const INDEX_HOST = 'index.test';
/**
 * Zone of the miner host pattern. The directory holds public addresses, as in production, where an edge refuses any
 * other; whatever address a name stands for, the miner is the one that listens on that port of this machine.
 */
export const MINER_ZONE = 'miners.test';
export const MINER_URL_PATTERN = `http://{ip-with-dashes}.${MINER_ZONE}:{port}`;

export interface MinerLink {
  /** Added to every request, half on the way there and half on the way back. */
  readonly roundTripMs?: number;
  readonly bytesPerSecond?: number;
}

/** What a miner's link does to one request; undefined lets it pass. */
export type Interfere = (request: {
  readonly method: string;
  readonly path: string;
  readonly port: number;
}) => 'cut-after-headers' | 'hang' | 'reset' | undefined;

export interface HarnessOptions {
  /** The Worker's settings; the index URL and the miner URL pattern are set by the harness. */
  readonly bindings: Readonly<Record<string, string>>;
  /** Where the index gateway really listens. */
  readonly indexUrl: string;
  /** By miner port; miners not named use `defaultLink`. */
  readonly links?: ReadonlyMap<number, MinerLink>;
  readonly defaultLink?: MinerLink;
  readonly indexRoundTripMs?: number;
  readonly interfere?: Interfere;
}

export interface HarnessCounts {
  /** Fetches that left the Worker, to miners and to the index. */
  subrequests: number;
  index: number;
  /** Refused because the URL's host was an address. */
  bareIps: number;
  /** Requests that had to queue behind six others. */
  queued: number;
  /** Largest number that waited for headers at once. */
  waitingPeak: number;
}

export interface Harness {
  readonly url: string;
  readonly counts: HarnessCounts;
  setInterfere(interfere: Interfere | undefined): void;
  setLinks(links: ReadonlyMap<number, MinerLink>, defaultLink?: MinerLink): void;
  stop(): Promise<void>;
}

/** First come, first served. */
class Slots {
  #free: number;
  readonly #queue: (() => void)[] = [];
  constructor(count: number) {
    this.#free = count;
  }
  get waiting(): number {
    return this.#queue.length;
  }
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = this.#queue.shift();
      if (next) next();
      else this.#free++;
    };
  }
}

/** The miner's port, when the host is a name in the miner zone that stands for a public address. */
function minerPortOf(host: string): number | undefined {
  const match = /^([^.]+)\.miners\.test:(\d{1,5})$/.exec(host);
  const address = match && parseDashed(match[1] ?? '');
  return address && isPublicAddress(address) ? Number(match[2]) : undefined;
}

/** Headers of one connection (RFC 9110 §7.6.1) and of the simulator's own wiring stay behind. */
const ONE_HOP = ['connection', 'keep-alive', 'mf-custom-node-service', 'cf-worker'];
const endToEnd = (headers: http.IncomingHttpHeaders): http.OutgoingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !ONE_HOP.includes(name)));

/** How long a broken proxy lets an answer run before it ends the request. */
const CUT_AFTER_MS = 20;

const after = (ms: number): Promise<void> | undefined =>
  ms > 0 ? new Promise((done) => setTimeout(done, ms)) : undefined;

const hostName = (host: string): string => host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');

export async function startHarness(options: HarnessOptions): Promise<Harness> {
  const counts: HarnessCounts = { subrequests: 0, index: 0, bareIps: 0, queued: 0, waitingPeak: 0 };
  const slots = new Slots(WAITING_FOR_HEADERS_MAX);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1024 });
  let interfere = options.interfere;
  let waitingNow = 0;
  let links = new Map<number, { up: Link; down: Link }>();
  let linkOptions = { links: options.links ?? new Map<number, MinerLink>(), defaultLink: options.defaultLink ?? {} };

  const linkOf = (port: number): { up: Link; down: Link } => {
    let link = links.get(port);
    if (!link) {
      const { roundTripMs = 0, bytesPerSecond } = linkOptions.links.get(port) ?? linkOptions.defaultLink;
      link = { up: newLink(roundTripMs / 2, bytesPerSecond), down: newLink(roundTripMs / 2, bytesPerSecond) };
      links.set(port, link);
    }
    return link;
  };

  const forward = async (incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> => {
    counts.subrequests++;
    const host = incoming.headers.host ?? '';
    if (isIP(hostName(host)) !== 0) {
      counts.bareIps++;
      incoming.resume();
      outgoing.writeHead(403, { 'content-type': 'text/plain' }).end('error code: 1003');
      return;
    }
    const port = minerPortOf(host);
    const isIndex = hostName(host) === INDEX_HOST;
    if (port === undefined && !isIndex) {
      incoming.resume();
      outgoing.writeHead(530, { 'content-type': 'text/plain' }).end('error code: 1016');
      return;
    }
    if (isIndex) counts.index++;
    if (waitingNow >= WAITING_FOR_HEADERS_MAX) counts.queued++;
    const release = await slots.take();
    waitingNow++;
    counts.waitingPeak = Math.max(counts.waitingPeak, waitingNow);
    let waiting = true;
    const headersDone = () => {
      if (!waiting) return;
      waiting = false;
      waitingNow--;
      release();
    };
    outgoing.once('close', headersDone);

    const path = incoming.url ?? '/';
    const fault = port === undefined ? undefined : interfere?.({ method: incoming.method ?? 'GET', path, port });
    if (fault === 'reset') return void outgoing.destroy();
    if (fault === 'hang') return void incoming.resume();

    const indexDelayMs = (options.indexRoundTripMs ?? 0) / 2;
    const link = port === undefined ? { up: newLink(indexDelayMs), down: newLink(indexDelayMs) } : linkOf(port);
    const headers = endToEnd(incoming.headers);
    // What is sent now arrives half a round trip later: the pipe takes it at once, the far end opens when it arrives.
    const up = new PacedPipe(link.up);
    pipeline(incoming, up, () => {});
    await after(link.up.delayMs);
    if (outgoing.destroyed) return;
    const request = http.request({
      host: '127.0.0.1',
      port: port ?? new URL(options.indexUrl).port,
      method: incoming.method,
      path,
      headers,
      agent,
    });
    // A stream's first byte may wait for the answer's headers.
    request.flushHeaders();
    request.on('error', () => outgoing.destroy());
    outgoing.on('close', () => request.destroy());
    request.on('response', (response) => void back(response, request));
    pipeline(up, request, () => {});

    const back = async (response: http.IncomingMessage, sent: http.ClientRequest): Promise<void> => {
      const down = new PacedPipe(link.down);
      pipeline(response, down, () => {});
      await after(link.down.delayMs);
      headersDone();
      if (outgoing.destroyed) return void response.destroy();
      outgoing.writeHead(response.statusCode ?? 502, endToEnd(response.headers));
      outgoing.flushHeaders();
      if (fault === 'cut-after-headers') {
        // A proxy that takes the answer's first bytes for the end of the request.
        await after(CUT_AFTER_MS);
        sent.destroy();
        outgoing.destroy();
        return;
      }
      pipeline(down, outgoing, () => {});
    };
  };

  const { modules } = await bundleWorker();
  const worker = new Miniflare(
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: 0,
      modules,
      compatibilityDate: '2026-10-01',
      compatibilityFlags: ['nodejs_compat'],
      bindings: { ...options.bindings, UPSTASH_REDIS_REST_URL: `http://${INDEX_HOST}`, MINER_URL_PATTERN },
      outboundService: { node: (incoming, outgoing) => void forward(incoming, outgoing) },
    }),
  );
  const url = (await worker.ready).origin;
  return {
    url,
    counts,
    setInterfere: (next) => {
      interfere = next;
    },
    setLinks: (next, defaultLink = {}) => {
      links = new Map();
      linkOptions = { links: next, defaultLink };
    },
    stop: async () => {
      await worker.dispose();
      agent.destroy();
    },
  };
}
