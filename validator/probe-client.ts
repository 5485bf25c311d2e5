/**
 * The validator's side of `POST /v1/probes`: a request signed with the tenant's hotkey for one edge, and what its answer
 * says, told apart: the shard, the miner's failure as the edge saw it, or the edge's own. Judges nothing. Made by
 * `probe-jobs.ts`; the transport is the one that miners are asked by, so redirects, encodings and sizes are refused.
 */
import type { AnchorId, Hotkey } from '#shared/primitives/ids.ts';
import { createMinerTransport, type MinerClientOptions } from '#shared/wire/miner-transport.ts';

/** Of the original, for a retrieval; the answer's head comes when the edge has the whole shard. */
const PROBE_MS = 100_000;

export interface ProbeEdge {
  readonly hotkey: Hotkey;
  /** Origin without a trailing slash. */
  readonly url: string;
}

export type ProbeAnswer =
  | { readonly kind: 'shard'; readonly bytes: Uint8Array }
  | { readonly kind: 'miner-failed'; readonly code: 'absent' | 'unreachable'; readonly message: string }
  | { readonly kind: 'edge-failed'; readonly message: string };

export interface ProbeClient {
  probe(
    edge: ProbeEdge,
    miner: Hotkey,
    shard: { readonly anchorId: AnchorId; readonly bytes: number },
    signal: AbortSignal,
  ): Promise<ProbeAnswer>;
}

export function createProbeClient(options: Omit<MinerClientOptions, 'grant' | 'timeouts'>): ProbeClient {
  const transport = createMinerTransport({
    ...options,
    grant: () => undefined,
    timeouts: { idleMs: PROBE_MS, totalMs: PROBE_MS },
  });
  return {
    async probe(edge, miner, { anchorId, bytes }, signal) {
      const target = `/v1/probes?miner=${miner}&shard=${anchorId}&bytes=${bytes}`;
      const request = { method: 'POST', target, wantedStatus: 200, answerBytes: bytes } as const;
      const answer = await transport.read(edge, request, signal);
      if (answer.ok) return { kind: 'shard', bytes: answer.value.body };
      const { problem, message } = answer.failure;
      if (problem === 'absent' || problem === 'dropped') return { kind: 'miner-failed', code: 'absent', message };
      if (problem === 'probe-failed') return { kind: 'miner-failed', code: 'unreachable', message };
      return { kind: 'edge-failed', message };
    },
  };
}
