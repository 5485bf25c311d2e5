/**
 * The tenant's probe: one whole shard, read for it as users' reads are (docs/protocol.md, "Probes"). For the tenant
 * alone: whoever else could ask would read shards past manifest and mask.
 */
import { z } from 'zod';
import { probeShard } from '#edge/flows/probe-shard.ts';
import { failureResponse } from '#edge/http/problem.ts';
import { parseAnchorId, parseHotkey } from '#shared/primitives/ids.ts';
import { MAX_SHARD_BYTES, MIN_SHARD_BYTES, PROBE_ELAPSED_HEADER } from '#shared/wire/limits.ts';
import { defineRoute } from './route.ts';

const parsed = <T>(parse: (text: string) => T | undefined, what: string) =>
  z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: `must be ${what}` });
    return z.NEVER;
  });

const ProbeQuery = z.strictObject({
  miner: parsed(parseHotkey, 'an SS58 address with prefix 42').meta({ description: 'Hotkey of the miner to ask' }),
  shard: parsed(parseAnchorId, '64 lowercase hex digits').meta({ description: 'Anchor id of a shard that it holds' }),
  bytes: z
    .string()
    .regex(/^[1-9][0-9]{0,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(MIN_SHARD_BYTES).max(MAX_SHARD_BYTES))
    .meta({ description: 'Of the shard' }),
});

export const probe = defineRoute({
  method: 'POST',
  path: '/v1/probes',
  access: 'tenant',
  operationId: 'probe',
  summary: 'Read one whole shard of one miner, as a user’s read would (for this edge’s tenant, signed with its hotkey)',
  query: ProbeQuery,
  answers: { 200: { description: 'The shard, unchecked; Filetao-Elapsed-Ms says how long it took', content: 'file' } },
  problems: ['not-found', 'absent', 'dropped', 'probe-failed', 'no-grant', 'overloaded'],
  answer: async ({ ports, request, query }) => {
    const { miner, shard: anchorId, bytes } = query;
    const probed = await probeShard(ports, { miner, anchorId, bytes, signal: request.signal });
    if (!probed.ok) return failureResponse(probed.failure);
    const { shard, elapsedMs } = probed.value;
    return new Response(shard as Uint8Array<ArrayBuffer>, {
      headers: {
        'Content-Type': 'application/octet-stream',
        'Cache-Control': 'no-store',
        [PROBE_ELAPSED_HEADER]: String(Math.round(elapsedMs)),
      },
    });
  },
});
