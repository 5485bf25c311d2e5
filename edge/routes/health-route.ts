/** Whether this edge can do its work, for load balancers and operators: index, miners, grant, mask secret. Says nothing secret. */
import { z } from 'zod';
import type { EdgePorts } from '#edge/ports.ts';
import { IndexUnavailable } from '#shared/index/ports.ts';
import { isoTime } from './file-answer.ts';
import { defineRoute, json } from './route.ts';

const Count = z.int().min(0);

export const HealthAnswer = z
  .strictObject({
    status: z.enum(['ok', 'impaired']),
    role: z.literal('edge'),
    hotkey: z.string(),
    tenant: z.string(),
    index: z.strictObject({ reachable: z.boolean() }),
    miners: z.strictObject({
      known: Count,
      accepting: Count,
      publishedAt: z.iso.datetime().nullable().meta({ description: 'When the tenant wrote the directory' }),
    }),
    grant: z.strictObject({
      state: z.enum(['valid', 'absent', 'expired', 'not-yet', 'wrong', 'unknown']),
      until: z.iso.datetime().nullable(),
    }),
    maskSecret: z.strictObject({
      epoch: Count.meta({ description: 'Of the secret that new files are masked with' }),
      state: z
        .enum(['right', 'wrong', 'unused', 'unknown'])
        .meta({ description: 'unused: this index has no file of this epoch yet' }),
    }),
  })
  .meta({ id: 'Health' });
type HealthAnswer = z.output<typeof HealthAnswer>;

async function checkHealth(ports: EdgePorts): Promise<HealthAnswer> {
  const { hotkey, settings } = ports;
  const same = { role: 'edge', hotkey, tenant: settings.tenant } as const;
  try {
    // The grant itself, past every cache: it is what shows that the index answers now.
    const [, snapshot, grant, maskSecret] = await Promise.all([
      ports.access.readGrant(hotkey),
      ports.network.snapshot(),
      ports.grants.state(),
      ports.maskSecrets.state(),
    ]);
    const accepting = snapshot.miners.filter((miner) => miner.accepting).length;
    return {
      status: accepting > 0 && grant.state === 'valid' && maskSecret !== 'wrong' ? 'ok' : 'impaired',
      ...same,
      index: { reachable: true },
      miners: {
        known: snapshot.miners.length,
        accepting,
        publishedAt: snapshot.takenAtMs === 0 ? null : isoTime(snapshot.takenAtMs),
      },
      grant: { state: grant.state, until: grant.state === 'valid' ? isoTime(grant.untilMs) : null },
      maskSecret: { epoch: ports.maskSecrets.newestEpoch, state: maskSecret },
    };
  } catch (error) {
    if (!(error instanceof IndexUnavailable)) throw error;
    return {
      status: 'impaired',
      ...same,
      index: { reachable: false },
      miners: { known: 0, accepting: 0, publishedAt: null },
      grant: { state: 'unknown', until: null },
      maskSecret: { epoch: ports.maskSecrets.newestEpoch, state: 'unknown' },
    };
  }
}

export const readHealth = defineRoute({
  method: 'GET',
  path: '/health',
  access: 'anyone',
  operationId: 'readHealth',
  summary: 'Whether this edge can do its work',
  answers: {
    200: { description: 'It can', schema: HealthAnswer },
    503: { description: 'Something is missing; the members say what', schema: HealthAnswer },
  },
  problems: [],
  answer: async ({ ports }) => {
    const health = await checkHealth(ports);
    return json(health.status === 'ok' ? 200 : 503, health);
  },
});
