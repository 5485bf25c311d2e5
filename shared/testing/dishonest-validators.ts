/**
 * Validators that cheat (por/v1 §11), each against the real verifier of exports: a chain of rounds with one miner, then
 * one thing changed in its favour or against the miner, signed anew and carried through as far as a forger can. Every
 * one must be refused. What cannot be told (silence that was none, in the newest record) is in `docs/audits.md`.
 */

import { type ExportLine, encodeLine } from '#shared/ledger/export-lines.ts';
import { type VerifyPorts, verifyExport } from '#shared/ledger/verify-export.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import { type AuditRecord, encodeRecord } from '#shared/proof/audit-record.ts';
import type { ChallengeRequest } from '#shared/proof/challenge-request.ts';
import { selectShards } from '#shared/proof/sample.ts';
import { commitOf, contextOf } from '#shared/proof/seed.ts';
import { signStatement } from '#shared/proof/statement.ts';
import { EMPTY_HASH, type Verdict } from '#shared/proof/transcript.ts';
import { type Judgement, planRound, verifyAnswer } from '#shared/proof/verify-answer.ts';
import type { Adversary } from './por-adversaries.ts';
import { ProofWorld, type WorldPorts } from './proof-world.ts';

const ROUND_BLOCKS = 25;
/** The start of the chain, the round that is tampered with, and the one after. */
const ROUNDS = 2;
/** Small shards: what is tried here is the chain, not the leaves. */
const SHARDS = [1500, 2500, 3500];
const ZEROS = new Uint8Array(32);

/** What a dishonest validator does to one of its rounds, before it signs the record. */
interface Cheating {
  request?(request: ChallengeRequest): ChallengeRequest;
  judgement?(judgement: Judgement): Judgement;
  /** After all is signed. */
  lines?(records: ExportLine[]): ExportLine[];
}

class Chain {
  readonly #world: ProofWorld;
  readonly #validator: Signer;
  readonly records: ExportLine[] = [];
  #prevTranscript: Uint8Array = ZEROS;
  #nextSalt: Uint8Array = ZEROS;

  constructor(world: ProofWorld) {
    this.#world = world;
    this.#validator = world.sr25519.signerFromSeed(new Uint8Array(32).fill(8));
  }

  async round(round: number, cheating: Cheating): Promise<void> {
    const { prover, inventory, network, anchors, sr25519 } = this.#world;
    const starts = round === 0;
    const salt = this.#nextSalt;
    this.#nextSalt = this.#world.bytes(32);
    const { hash, leaves } = inventory;
    const head = {
      validator: this.#validator.hotkey,
      miner: prover.signer.hotkey,
      ...{ round, block: ROUND_BLOCKS * round, blockHash: this.#world.bytes(32), prevTranscript: this.#prevTranscript },
      ...{ inventory: starts ? ZEROS : hash, inventoryLeaves: starts ? 0 : leaves, salt },
      nextCommit: commitOf({ salt: this.#nextSalt, inventory: hash, inventoryLeaves: leaves }),
      ...{ leaves: starts ? 0 : leaves, sweep: false },
    };
    const items = starts ? [] : await selectShards(contextOf(head), inventory, head.leaves);
    const honest: ChallengeRequest = { ...head, items };
    const request = cheating.request?.(honest) ?? honest;
    const plan = planRound(network, request, anchors);
    if (!plan.ok) throw new Error(plan.failure.message);
    const answer = prover.answerRequest(request);
    const judged = verifyAnswer(sr25519.verify, plan.value, answer);
    const { answerSignature, items: verdicts, transcript } = cheating.judgement?.(judged) ?? judged;
    const record: AuditRecord = { request, sentAtMs: 1, elapsedMs: 1, answerSignature, items: verdicts, transcript };
    const signed = signStatement(this.#validator, encodeRecord(network, record));
    this.records.push({ kind: 'record', signed, answer });
    this.#prevTranscript = transcript;
  }

  lines(): ExportLine[] {
    const { network, inventory, prover, anchors } = this.#world;
    const { genesis, netuid } = network;
    const head = { genesis, netuid, validator: this.#validator.hotkey, roundBlocks: ROUND_BLOCKS };
    const slots = new Map<number, number>();
    const changes = [...anchors].map(([anchorId, { bytes, root }]): ExportLine => {
      const { s } = inventory.placeOf(anchorId) ?? { s: 0 };
      const slot = slots.get(s) ?? 0;
      slots.set(s, slot + 1);
      return { kind: 'change', change: { op: 'add', slot, bytes, type: 1, root } };
    });
    const [start, ...rounds] = this.records as [ExportLine, ...ExportLine[]];
    const miner: ExportLine = { kind: 'miner', miner: prover.signer.hotkey };
    const end: ExportLine = { kind: 'end', miners: 1, records: this.records.length };
    return [{ kind: 'head', head }, miner, start, ...changes, ...rounds, end];
  }
}

function validator(ports: WorldPorts, id: string, cheating: Cheating, expected = 1): Adversary {
  return {
    id,
    async run(rounds) {
      const world = new ProofWorld(ports, SHARDS);
      const verifying: VerifyPorts = { verify: ports.sr25519.verify, zk: { kernel: noZk, random: systemRandom } };
      let detected = 0;
      for (let i = 0; i < rounds; i++) {
        const chain = new Chain(world);
        for (let round = 0; round <= ROUNDS; round++) await chain.round(round, round === 1 ? cheating : {});
        const lines = cheating.lines?.(chain.lines()) ?? chain.lines();
        if (!(await verifyExport(lines.map(encodeLine), verifying)).ok) detected++;
      }
      return { rounds, detected, expected };
    },
  };
}

const noZk = (): never => {
  throw new Error('no shard here is of anchor type 2');
};

const other = (bytes: Uint8Array): Uint8Array => bytes.with(0, (bytes[0] as number) ^ 1);

const everyItem = (verdict: Verdict, bodyHash?: Uint8Array) => (judgement: Judgement) => ({
  ...judgement,
  items: judgement.items.map((item) => ({ ...item, verdict, bodyHash: bodyHash ?? item.bodyHash })),
});

export function dishonestValidators(ports: WorldPorts): readonly Adversary[] {
  const of = (id: string, cheating: Cheating) => validator(ports, `validator: ${id}`, cheating);
  const records = (lines: readonly ExportLine[]) => lines.flatMap(({ kind }, i) => (kind === 'record' ? [i] : []));
  const swap = (lines: ExportLine[]): ExportLine[] => {
    const [, a = 0, b = 0] = records(lines);
    return lines.with(a, lines[b] as ExportLine).with(b, lines[a] as ExportLine);
  };
  return [
    validator(ports, 'an honest validator', {}, 0),
    of('drops a record', { lines: (lines) => lines.toSpliced(records(lines)[1] as number, 1) }),
    of('swaps two records', { lines: swap }),
    of('flips passed to wrong', { judgement: everyItem('wrong') }),
    of('invents that a shard was declared missing', { judgement: everyItem('missing', EMPTY_HASH) }),
    of('invents failures without the miner’s signature', {
      judgement: (judgement) => ({
        ...everyItem('missing', EMPTY_HASH)(judgement),
        answerSignature: new Uint8Array(64),
      }),
    }),
    of('invents a pass of a miner that was silent', {
      judgement: (judgement) => ({ ...judgement, answerSignature: new Uint8Array(64) }),
    }),
    of('calls a signed answer silence', { judgement: everyItem('silent') }),
    of('writes another transcript', {
      judgement: (judgement) => ({ ...judgement, transcript: other(judgement.transcript) }),
    }),
    of('lowers K', {
      request: (request) => {
        const [{ leaves } = { leaves: 0 }, ...items] = request.items;
        return { ...request, items, leaves: request.leaves - leaves };
      },
    }),
    of('chooses the salt after the block', { request: (request) => ({ ...request, salt: other(request.salt) }) }),
    of('chooses the inventory after the block', {
      request: (request) => ({ ...request, inventory: other(request.inventory) }),
    }),
    of('draws from another block', { request: (request) => ({ ...request, block: request.block + 1 }) }),
    of('breaks its own commit to the next round', {
      request: (request) => ({ ...request, nextCommit: other(request.nextCommit) }),
    }),
  ];
}
