/**
 * Ends an upload session, one way or the other. Completion: every part is there, the file's hash is proven, its end is
 * decided in the index, and the manifest is committed by what was decided; each step can be taken again, by anyone, with
 * the same outcome. Abort: only while nothing else was decided.
 */
import { commitSurely } from '#edge/flows/commit-surely.ts';
import { keepLongest } from '#edge/flows/keep-longest.ts';
import { StrayList } from '#edge/flows/stray-list.ts';
import type { StoredFile } from '#edge/flows/upload.ts';
import { type EdgeResult, refuse } from '#edge/http/problem.ts';
import type { EdgePorts } from '#edge/ports.ts';
import { cidOf } from '#shared/codec/cid.ts';
import { segmentLength } from '#shared/codec/segment.ts';
import { type CommitOutcome, IndexUnavailable } from '#shared/index/ports.ts';
import type { PartRecord, UploadCompletion, UploadSession, UploadState } from '#shared/index/upload-ports.ts';
import { toHex } from '#shared/primitives/bytes.ts';
import { succeed } from '#shared/primitives/failure.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { checkRoom } from './open-upload.ts';
import { lengthsOf, offsetOf } from './part-plan.ts';
import { proveHash } from './prove-hash.ts';

const PARTS_PER_PAGE = 500;
/** Missing parts that a refusal names. */
const MAX_NAMED = 100;

/** What the client says the whole is; at least one of these, here or when it opened the session. */
export interface Completing {
  readonly cid?: Cid | undefined;
  readonly bytes?: number | undefined;
  /** SHA-256 of every part, part 1 first. */
  readonly parts?: readonly Uint8Array[] | undefined;
  readonly signal: AbortSignal;
}

/** Still hashing what came out of order: ask again. */
export interface Proving {
  readonly provenBytes: number;
  readonly bytes: number;
}

export async function listAllParts(ports: Pick<EdgePorts, 'uploads'>, session: UploadSession): Promise<PartRecord[]> {
  const parts: PartRecord[] = [];
  for (;;) {
    const page = await ports.uploads.listParts(session.number, (parts.at(-1)?.number ?? 0) + 1, PARTS_PER_PAGE);
    parts.push(...page);
    if (page.length < PARTS_PER_PAGE) return parts;
  }
}

export async function completeUpload(
  ports: EdgePorts,
  state: UploadState,
  asked: Completing,
): Promise<EdgeResult<StoredFile | Proving>> {
  const { session, end } = state;
  if (end === 'aborted') return refuse('upload-ended', 'the upload was aborted');
  if (end) return await finish(ports, session, end, asked, true);
  if (session.endsAtMs <= ports.clock.nowMs()) return refuse('expired', 'the upload’s time is over');

  const parts = await listAllParts(ports, session);
  const bytes = checkParts(session, parts, asked);
  if (!bytes.ok) return bytes;
  const fits = await checkRoom(ports, session.owner, bytes.value);
  if (!fits.ok) return fits;
  const proof = await proveHash(ports, session, parts, asked.signal);
  if (!proof.ok) return proof;
  if (!('digest' in proof.value)) return succeed({ ...proof.value, bytes: bytes.value });
  const cid = cidOf(proof.value.digest);
  const wrong = wrongCid(cid, asked.cid ?? session.cid);
  if (wrong) return wrong;

  const nowMs = ports.clock.nowMs();
  const decided = await ports.uploads.endUpload(session, {
    cid,
    bytes: bytes.value,
    createdAtMs: nowMs,
    expiresAtMs: session.ttlMs === 0 ? 0 : nowMs + session.ttlMs,
    attempts: parts.map(({ attempt }) => attempt),
  });
  if (decided === 'aborted') return refuse('upload-ended', 'the upload was aborted');
  return await finish(ports, session, decided, asked, false);
}

const wrongCid = (cid: Cid, said: Cid | undefined) =>
  said !== undefined && said !== cid
    ? refuse('wrong-cid', `the CID of the parts is ${cid}, not ${said}; they are kept`, { cid })
    : undefined;

/** The file's bytes, if these parts make the file that is meant. */
function checkParts(session: UploadSession, parts: readonly PartRecord[], asked: Completing): EdgeResult<number> {
  const wholeBytes = asked.bytes ?? session.bytes;
  if (wholeBytes === undefined && asked.cid === undefined && session.cid === undefined && !asked.parts) {
    return refuse('bad-request', 'say what the whole is: bytes, cid, or the SHA-256 of every part in order');
  }
  if (asked.bytes !== undefined && session.bytes !== undefined && asked.bytes !== session.bytes) {
    return refuse('length-mismatch', `the upload was opened for ${session.bytes} bytes`);
  }
  const last = parts.at(-1);
  const byBytes = wholeBytes === undefined ? 0 : Math.max(1, Math.ceil(wholeBytes / session.partBytes));
  const count = Math.max(1, last?.number ?? 0, asked.parts?.length ?? 0, byBytes);
  if (parts.length < count) {
    const there = new Set(parts.map(({ number }) => number));
    const missing: number[] = [];
    for (let number = 1; number <= count && missing.length < MAX_NAMED; number++) {
      if (!there.has(number)) missing.push(number);
    }
    return refuse('parts-missing', `${count - parts.length} of ${count} parts are missing`, { missing });
  }
  for (const part of parts) {
    const { least, most } = lengthsOf(session, part.number);
    const short = part.number < count && part.bytes !== session.partBytes;
    if (!short && part.bytes >= least && part.bytes <= most) continue;
    const text = `part ${part.number} has ${part.bytes} bytes; every part but the last has ${session.partBytes}`;
    return refuse('parts-mismatch', text, { part: part.number });
  }
  const hashes = asked.parts?.map(toHex);
  const other = hashes && parts.find(({ number, hash }) => toHex(hash) !== hashes[number - 1]);
  if (other) {
    return refuse('parts-mismatch', `part ${other.number} has another SHA-256`, { part: other.number });
  }
  const bytes = last ? offsetOf(session, last.number) + last.bytes : 0;
  if (wholeBytes === undefined || wholeBytes === bytes) return succeed(bytes);
  return refuse('length-mismatch', `the parts have ${bytes} bytes, not ${wholeBytes}`, { bytes });
}

/** @param known it was decided before this request: the file may have been stored, and deleted, since */
async function finish(
  ports: EdgePorts,
  session: UploadSession,
  completion: UploadCompletion,
  asked: Completing,
  known: boolean,
): Promise<EdgeResult<StoredFile>> {
  const wrong = wrongCid(completion.cid, asked.cid);
  if (wrong) return wrong;
  if (asked.bytes !== undefined && asked.bytes !== completion.bytes) {
    return refuse('length-mismatch', `the upload has ${completion.bytes} bytes`);
  }
  if (known) {
    const file = await ports.files.findFile(completion.cid, session.owner);
    if (file) {
      if ((await ports.uploads.readUpload(session.number))?.stored) return succeed({ file, created: false });
    } else if ((await ports.uploads.readUpload(session.number))?.stored) {
      return refuse('expired', 'the file was stored, and is gone since');
    }
    if (session.endsAtMs <= ports.clock.nowMs()) return refuse('expired', 'the upload’s time is over');
  }
  let outcome: CommitOutcome;
  try {
    outcome = await commitSurely(ports, () => ports.uploads.commitUpload(session, completion));
  } catch (error) {
    if (!(error instanceof IndexUnavailable)) throw error;
    ports.log.error('commit-unanswered', { file: session.number, error: String(error) });
    return refuse('index-unavailable', 'whether the file was stored is not known; complete the upload again');
  }
  if (outcome.outcome === 'over-quota') {
    const { quotaBytes, usedBytes } = outcome;
    return refuse('over-quota', `${usedBytes} of ${quotaBytes} bytes are used`, { quotaBytes, usedBytes });
  }
  ports.background(
    ports.uploads.clearUpload(session).catch((error) => {
      ports.log.warn('upload-not-cleared', { file: session.number, error: String(error) });
    }),
  );
  const { file } = outcome;
  if (outcome.outcome === 'already') {
    // Its own shards are left to collection: another completion of this session may yet name them.
    const { expiresAtMs } = completion;
    return succeed({ file: await keepLongest(ports, file, { expiresAtMs, name: session.name }), created: false });
  }
  if (known && !(await ports.files.readFile(file.number))) {
    return refuse('expired', 'the file was stored, and is gone since');
  }
  return succeed({ file, created: true });
}

/** Gives an upload up; doing it again does nothing. */
export async function abortUpload(ports: EdgePorts, { session }: UploadState): Promise<EdgeResult<undefined>> {
  const decided = await ports.uploads.endUpload(session, 'aborted');
  if (decided !== 'aborted') {
    return refuse('upload-ended', 'the upload is being completed, or is complete: delete the file instead');
  }
  const strays = await straysOf(ports, session);
  await ports.uploads.clearUpload(session);
  ports.background(
    strays.hand(ports.files).catch((error) => {
      ports.log.warn('strays-not-handed-over', { file: session.number, error: String(error) });
    }),
  );
  return succeed(undefined);
}

/** What the session's parts left on miners: a bounded list, collection finds the rest. */
async function straysOf(ports: EdgePorts, session: UploadSession): Promise<StrayList> {
  const strays = new StrayList(session);
  for (const part of await listAllParts(ports, session)) {
    if (strays.isFull) break;
    const records = (await ports.uploads.readPart(session, part.number, part.attempt)) ?? [];
    for (const [index, record] of records.entries()) {
      const bytes = segmentLength(part.bytes, session.segmentBytes, index);
      strays.noteStored({ index, bytes, record, receipts: [] });
    }
  }
  strays.addStored();
  return strays;
}
