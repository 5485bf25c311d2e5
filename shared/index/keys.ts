/**
 * Every key of the index, in one place. A key is its family and, after a colon, what it is about; numbers are base 36.
 * Nothing else builds a key. Families are short because a key is stored with every file.
 *
 *   n                 next file number                      i         open uploads: number by expiry (zset)
 *   f:FILE            a live file's record                  t:FILE    a deleted file's record
 *   x:FILE:CHUNK      segment records of larger files       ic        chunks written by open uploads (hash)
 *   w:FILE            an upload session (hash: s session, c how it ends, d 1 once stored, x chunks written,
 *                     aPART sendings of a part)
 *   wp:FILE           its parts (zset by number)            wo:OWNER  an owner's open sessions: number by end (zset)
 *   ws:FILE:PART:ATTEMPT:PIECE   segment records of one sending of a part
 *   c:BUCKET          files by CID, and by owner and CID (zset of tags, see `tags.ts`)
 *   m:BUCKET          files by owner and name (the same)
 *   o:OWNER:PAGE      an owner's files in order of commit, 64 a page (zset)
 *   v:FILE            a private file's signed envelope, base64 (only of files that have one)
 *   u:OWNER           an owner's counters and quota (four numbers in a string, see `redis-owner-counters.ts`)
 *   e:SLOT            files by the two minutes they expire in (zset)       ec   the slot collected so far
 *   td                tombstones (zset by number)           d:TAG     last deletion of an owner's CID
 *   mv:FILE           the number that a re-coded file has now (passing)
 *   lc:TAG lf:FILE    leases: committing this CID, changing this file
 *   s  r              stray shards, receipts (bounded lists)
 *   k:HASH ok:OWNER   API keys                              nn:TAG    nonces seen
 *   id                this index's id and epoch (hash)      g:HOTKEY  grants
 *   mk                what shows a wrong mask secret: epoch → check value (hash; por/v1 §3)
 *   hs                 snapshots of the network: time, part, miners by time (zset)
 *   hg:TIME hp:TIME:PAGE   a snapshot's network and tiers, its miners' rows
 *   hm:HOTKEY:PART     one miner's rows by time (hash)      hd:HOTKEY a miner's state and reasons now
 *   hn hv hq:VERSION:PAGE  the network now: head, versions, pages of miners
 *   vl vf vp          the validator's lease, its last number, how far its holders had come (hash by number)
 *   mn mc             miners' numbers and the last one      dh dv dp:VERSION:PAGE   directory: head, versions, pages
 */
import type { FileNumber, Hotkey, OwnerId } from '#shared/primitives/ids.ts';

/** Part of an owner's id that keys carry: 16 of 32 bytes, in hex; nobody finds a second owner with them. */
const ownerPart = (owner: OwnerId): string => owner.slice(0, 32);
const base36 = (value: number): string => value.toString(36);

export const keys = {
  nextNumber: 'n',
  uploads: 'i',
  uploadChunks: 'ic',
  expiryCursor: 'ec',
  tombstones: 'td',
  strays: 's',
  receipts: 'r',
  identity: 'id',
  maskChecks: 'mk',
  validatorLease: 'vl',
  validatorFence: 'vf',
  validatorProgress: 'vp',
  minerNumbers: 'mn',
  minerCounter: 'mc',
  directoryHead: 'dh',
  directoryVersions: 'dv',
  snapshots: 'hs',
  nowHead: 'hn',
  nowVersions: 'hv',
  live: (file: FileNumber) => `f:${base36(file)}`,
  gone: (file: FileNumber) => `t:${base36(file)}`,
  moved: (file: FileNumber) => `mv:${base36(file)}`,
  envelope: (file: FileNumber) => `v:${base36(file)}`,
  chunk: (file: FileNumber, chunk: number) => `x:${base36(file)}:${base36(chunk)}`,
  session: (file: FileNumber) => `w:${base36(file)}`,
  sessionParts: (file: FileNumber) => `wp:${base36(file)}`,
  sentPart: (file: FileNumber, part: number, attempt: number, piece: number) =>
    `ws:${base36(file)}:${base36(part)}:${base36(attempt)}:${base36(piece)}`,
  ownerSessions: (owner: OwnerId) => `wo:${ownerPart(owner)}`,
  cidBucket: (bucket: string) => `c:${bucket}`,
  nameBucket: (bucket: string) => `m:${bucket}`,
  ownerPage: (owner: OwnerId, page: number) => `o:${ownerPart(owner)}:${base36(page)}`,
  usage: (owner: OwnerId) => `u:${ownerPart(owner)}`,
  expirySlot: (slot: number) => `e:${base36(slot)}`,
  deletion: (tag: string) => `d:${tag}`,
  commitLease: (tag: string) => `lc:${tag}`,
  fileLease: (file: FileNumber) => `lf:${base36(file)}`,
  apiKey: (hash: string) => `k:${hash}`,
  ownerKeys: (owner: OwnerId) => `ok:${ownerPart(owner)}`,
  nonce: (tag: string) => `nn:${tag}`,
  grant: (edge: Hotkey) => `g:${edge}`,
  directoryPage: (version: number, page: number) => `dp:${base36(version)}:${base36(page)}`,
  snapshotGeneral: (takenAtMs: number) => `hg:${base36(takenAtMs)}`,
  snapshotPage: (takenAtMs: number, page: number) => `hp:${base36(takenAtMs)}:${base36(page)}`,
  minerSeries: (miner: Hotkey, part: number) => `hm:${miner}:${base36(part)}`,
  minerDetail: (miner: Hotkey) => `hd:${miner}`,
  nowPage: (version: number, page: number) => `hq:${base36(version)}:${base36(page)}`,
} as const;

/** What stands before the first colon. */
export const familyOf = (key: string): string => key.split(':', 1)[0] ?? '';

/** Families an edge's token may write: what storing, changing and deleting files and issuing API keys needs. */
export const EDGE_WRITABLE_FAMILIES: readonly string[] = [
  'n',
  'i',
  'f',
  't',
  'x',
  'v',
  'ic',
  'w',
  'wp',
  'ws',
  'wo',
  'c',
  'm',
  'o',
  'u',
  'e',
  'ec',
  'td',
  'd',
  'lc',
  'lf',
  's',
  'r',
  'k',
  'ok',
  'nn',
  'mk',
];

/** Families of the network's series and its state of now: the validator writes them, edges serve them. */
export const NETWORK_FAMILIES: readonly string[] = ['hs', 'hg', 'hp', 'hm', 'hd', 'hn', 'hq'];
