/**
 * What must hold of a network whatever happened to it, as one function over ports: every file is whole or absent,
 * nobody was told of a file that is not there, lists, lookups, counters and expiries tell the same story, and once the
 * tenant's jobs have run nothing is left anywhere that no file explains. For the network in one process (`world.ts`)
 * and for whole networks of real processes.
 */
import { expect } from 'vitest';
import { cidOf } from '#shared/codec/cid.ts';
import { familyOf } from '#shared/index/keys.ts';
import type { FileIndex, FileRecord } from '#shared/index/ports.ts';
import { segmentsPerChunk } from '#shared/index/records.ts';
import { EXPIRY_SLOT_MS } from '#shared/index/redis-context.ts';
import { cidTag, nameTag, ownerCidTag, parseCidMember, parseNameMember } from '#shared/index/tags.ts';
import { equalBytes } from '#shared/primitives/bytes.ts';
import type { AnchorId, Cid, MinerNumber, OwnerId } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { namedShards } from '#validator/domain/slot-anchors.ts';
import type { DumpedKey } from './index-dump.ts';

/** Ports through which everything can be looked at. */
export interface Seen {
  readonly files: FileIndex;
  readonly owner: OwnerId;
  /** The file's bytes through the real retrieve flow; rejects when they cannot be had. */
  retrieve(file: FileRecord): Promise<Uint8Array>;
  /** Every shard on every miner that is not dropped. */
  held(): Promise<readonly { readonly miner: MinerNumber; readonly anchorId: AnchorId }[]>;
  dump(): readonly DumpedKey[];
}

/** What its owner may believe about some bytes after all the answers that came. */
export interface Belief {
  readonly bytes: Uint8Array;
  /** there: a success was answered; gone: a deletion was; unknown: no answer came */
  readonly is: 'there' | 'gone' | 'unknown';
  /** If the file is there, one of these is its state: never a part of one and a part of another. */
  readonly states?: readonly FileState[];
}

export interface FileState {
  readonly name?: string;
  readonly expiresAtMs?: number;
}

export const cidOfBytes = (bytes: Uint8Array): Cid => cidOf(sha256(bytes));

/** @param settled the tenant's jobs have run since the last change: no garbage may be left */
export async function checkInvariants(seen: Seen, beliefs: readonly Belief[], settled: boolean): Promise<void> {
  const files = await listAll(seen);
  await checkBeliefs(seen, files, beliefs);
  await checkLookups(seen, files);
  checkKeys(seen, files, settled);
  // No job makes a file whole that was not: looking once, at the end, is enough.
  if (!settled) return;
  const named = await checkBytes(seen, files, beliefs);
  const held = (await seen.held()).map(({ miner, anchorId }) => `${miner} ${anchorId}`);
  expect(
    held.filter((shard) => !named.has(shard)),
    'shards on miners that no manifest names',
  ).toEqual([]);
}

async function listAll({ files, owner }: Seen): Promise<readonly FileRecord[]> {
  const all: FileRecord[] = [];
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const page = await files.listFiles(owner, cursor, 100);
    all.push(...page.items);
    cursor = page.next;
  }
  return all;
}

/** No answer was false. */
async function checkBeliefs(seen: Seen, files: readonly FileRecord[], beliefs: readonly Belief[]): Promise<void> {
  for (const { bytes, is, states } of beliefs) {
    const cid = cidOfBytes(bytes);
    const file = files.find((each) => each.cid === cid);
    if (is !== 'unknown') expect(file !== undefined, `${cid} is ${is}`).toBe(is === 'there');
    if (!file) {
      expect(await seen.files.findFile(cid, seen.owner), 'a file that is not listed is not found').toBeUndefined();
      expect(await seen.files.findFile(cid), 'a file that is not listed is not found').toBeUndefined();
      continue;
    }
    const state = { name: file.name, expiresAtMs: file.expiresAtMs };
    if (states)
      expect(states.map((each) => ({ name: each.name, expiresAtMs: each.expiresAtMs ?? 0 }))).toContainEqual(state);
  }
}

async function checkLookups({ files: index, owner }: Seen, files: readonly FileRecord[]): Promise<void> {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  expect(await index.usage(owner), 'counters').toMatchObject({ files: files.length, bytes });
  expect(new Set(files.map((file) => file.cid)).size, 'one file of the same bytes').toBe(files.length);
  for (const file of files) {
    expect(await index.findFile(file.cid, owner)).toEqual(file);
    expect(await index.findFile(file.cid)).toEqual(file);
    expect(await index.readFile(file.number)).toEqual(file);
    if (file.name === undefined) continue;
    const named = await index.findByName(owner, file.name);
    expect(named && files.some((other) => other.number === named.number), `the name ${file.name}`).toBe(true);
  }
}

/** Every listed file is whole; answers the shards that manifests name. */
async function checkBytes(
  seen: Seen,
  files: readonly FileRecord[],
  beliefs: readonly Belief[],
): Promise<ReadonlySet<string>> {
  const named = new Set<string>();
  for (const file of files) {
    const wanted = beliefs.find(({ bytes }) => cidOfBytes(bytes) === file.cid);
    expect(wanted, `file ${file.number} is known`).toBeDefined();
    expect(wanted && equalBytes(await seen.retrieve(file), wanted.bytes), `file ${file.number} is whole`).toBe(true);
    const records = await seen.files.readSegments(file, 0, file.segments);
    expect(records).toHaveLength(file.segments);
    records.forEach((record, segment) => {
      for (const { slot, anchorId } of namedShards(file, segment, record)) {
        if (slot.state === 'stored') named.add(`${slot.miner} ${anchorId}`);
      }
    });
  }
  return named;
}

/** Kept for ever or until they expire, whatever becomes of files. */
const LASTING = new Set(
  // Of files, their owners and edges; the directory; the network's history and state; the validator's lease.
  [
    ...['n', 'ec', 'id', 'mk', 'g', 'k', 'ok', 'nn', 'u', 'r', 'd'],
    ...['mn', 'mc', 'dh', 'dv', 'dp'],
    ...['hs', 'hg', 'hp', 'hm', 'hd', 'hn', 'hv', 'hq'],
    ...['vl', 'vf', 'vp'],
  ],
);
/** While something is under way. */
const PASSING = new Set(['lc', 'lf', 'i', 'ic', 'td', 't', 's', 'x', 'w', 'wp', 'ws', 'wo', 'mv']);

/** Every key of the index belongs to a file, each entry exactly once. */
function checkKeys(seen: Seen, files: readonly FileRecord[], settled: boolean): void {
  const base36 = (value: number) => value.toString(36);
  const live = new Set(files.map((file) => Number(file.number)));
  const found: string[] = [];
  const unexplained: string[] = [];
  for (const { key, members, expires } of seen.dump()) {
    const family = familyOf(key);
    if (LASTING.has(family)) continue;
    const entries = members.map(({ name, value }) => entryOf(family, key, name, value));
    if (family === 'f') found.push(key);
    else if (family === 'x' && live.has(Number.parseInt(key.split(':')[1] ?? '', 36))) found.push(key);
    else if (['c', 'm', 'o', 'e'].includes(family)) found.push(...entries);
    else if (!PASSING.has(family) || (settled && !expires)) unexplained.push(`${key} ${entries.join(' ')}`);
  }
  expect(unexplained, 'keys that nothing explains').toEqual([]);
  const expected = files.flatMap((file) => {
    const { number, owner, cid, name, expiresAtMs } = file;
    const chunks = file.segments === 1 ? 0 : Math.ceil(file.segments / segmentsPerChunk(file.n));
    return [
      `f:${base36(number)}`,
      ...Array.from({ length: chunks }, (_, chunk) => `x:${base36(number)}:${base36(chunk)}`),
      ...[cidTag(cid), ownerCidTag(owner, cid)].map(({ tag, bucket }) => `c:${bucket} ${tag} ${number}`),
      `o ${number}`,
      ...(name === undefined ? [] : [`m:${nameTag(owner, name).bucket} ${nameTag(owner, name).tag} ${number}`]),
      ...(expiresAtMs === 0 ? [] : [`e ${expiresAtMs} ${number}`]),
    ];
  });
  expect(found.sort(), 'keys and entries of files').toEqual(expected.sort());
}

const TAG_CHARS = 12;

function entryOf(family: string, key: string, member: string, value: string | number): string {
  switch (family) {
    case 'c':
      return `${key} ${member.slice(0, TAG_CHARS)} ${parseCidMember(member)?.file}`;
    case 'm':
      return `${key} ${member.slice(0, TAG_CHARS)} ${parseNameMember(member)}`;
    case 'o':
      return `o ${member}`;
    case 'e':
      return `e ${Number.parseInt(key.slice(2), 36) * EXPIRY_SLOT_MS + Number(value)} ${member}`;
    default:
      return `${member}=${value}`;
  }
}
