/**
 * Runs the miner zone: `FILETAO_ZONE=miners.example.org FILETAO_ZONE_NS=ns1.example.org node infra/miner-zone/main.ts`.
 * Needs port 53 of a public address (FILETAO_ZONE_HOST, FILETAO_ZONE_PORT); loopback and 5353 unless told otherwise.
 * How to delegate a zone to it: `docs/run-an-edge.md`.
 */
import { z } from 'zod';
import { createNodeLog } from '#shared/primitives/node-log.ts';
import { serveZone } from './serve-zone.ts';

const dnsName = z
  .string()
  .toLowerCase()
  .regex(/^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+$/, 'must be a domain name without a closing dot');

const settings = z
  .object({
    FILETAO_ZONE: dnsName,
    FILETAO_ZONE_NS: z.string().transform((text) => text.split(',').map((name) => name.trim())),
    FILETAO_ZONE_MAILBOX: dnsName.optional(),
    FILETAO_ZONE_HOST: z.string().default('127.0.0.1'),
    FILETAO_ZONE_PORT: z.coerce.number().int().min(0).max(65_535).default(5353),
  })
  .safeParse(process.env);
if (!settings.success) {
  for (const { path, message } of settings.error.issues) console.error(`${path.join('.')}: ${message}`);
  process.exit(1);
}

const { FILETAO_ZONE: name, FILETAO_ZONE_NS: nameServers, FILETAO_ZONE_HOST: host } = settings.data;
const log = createNodeLog('miner-zone');
const zone = { name, nameServers, mailbox: settings.data.FILETAO_ZONE_MAILBOX ?? `hostmaster.${name}` };
const server = await serveZone(zone, host, settings.data.FILETAO_ZONE_PORT, log);
log.info('listening', { zone: name, host, port: server.port });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.stop());
