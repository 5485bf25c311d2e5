/** Upload sessions in memory, beside a `MemoryIndex`: the same contract as the Redis adapter, without its layout. */
import type { FileRecord, SegmentRecord } from '#shared/index/ports.ts';
import type { PartRecord, UploadEnd, UploadIndex, UploadSession, UploadState } from '#shared/index/upload-ports.ts';
import type { Clock } from '#shared/primitives/effects.ts';
import type { FileNumber } from '#shared/primitives/ids.ts';
import type { MemoryIndex } from './memory-index.ts';

const GRACE_MS = 60_000;

interface Open {
  readonly session: UploadSession;
  readonly sendings: Map<number, number>;
  readonly parts: Map<number, PartRecord>;
  readonly segments: Map<string, readonly SegmentRecord[]>;
  end: UploadEnd | undefined;
  stored: boolean;
}

export function createMemoryUploads(index: MemoryIndex, clock: Clock): UploadIndex {
  const sessions = new Map<FileNumber, Open>();
  const isOpen = ({ session, end }: Open): boolean => !end && session.endsAtMs > clock.nowMs();
  const mustFind = (number: FileNumber): Open => {
    const found = sessions.get(number);
    if (!found) throw new Error(`no session ${number}`);
    return found;
  };
  return {
    async openUpload(opened, maxOpen) {
      const open = [...sessions.values()].filter((each) => each.session.owner === opened.owner && isOpen(each));
      if (open.length >= maxOpen) return undefined;
      const { owner, fileId } = opened;
      const number = await index.beginUpload({ owner, fileId, expiresAtMs: opened.endsAtMs + GRACE_MS });
      const session = { ...opened, number };
      const maps = { sendings: new Map(), parts: new Map(), segments: new Map() };
      sessions.set(number, { session, ...maps, end: undefined, stored: false });
      return session;
    },
    async readUpload(number): Promise<UploadState | undefined> {
      const found = sessions.get(number);
      if (!found) return undefined;
      const { session, end, stored } = found;
      return { session, ...(end && { end }), stored };
    },
    async openUploads(owner) {
      const own = [...sessions.values()].filter((each) => each.session.owner === owner && isOpen(each));
      return own.map(({ session }) => session).sort((a, b) => a.endsAtMs - b.endsAtMs);
    },
    async beginPart({ number }, part) {
      const { sendings } = mustFind(number);
      const sending = sendings.get(part) ?? 0;
      sendings.set(part, sending + 1);
      return sending;
    },
    async putPart({ number }, part, segments) {
      const found = mustFind(number);
      if (found.end) {
        const taken = found.end !== 'aborted' && found.end.attempts[part.number - 1] === part.attempt;
        return taken ? { outcome: 'stored', replaced: false } : { outcome: 'ended' };
      }
      const replaced = found.parts.has(part.number);
      found.parts.set(part.number, part);
      found.segments.set(`${part.number} ${part.attempt}`, segments);
      return { outcome: 'stored', replaced };
    },
    async chainPart({ number }, part) {
      const { parts } = mustFind(number);
      if (parts.get(part.number)?.attempt === part.attempt) parts.set(part.number, part);
    },
    async listParts(number, from, limit) {
      const parts = [...(sessions.get(number)?.parts.values() ?? [])].filter((part) => part.number >= from);
      return parts.sort((a, b) => a.number - b.number).slice(0, limit);
    },
    async readPart({ number }, part, attempt) {
      const { parts, segments } = mustFind(number);
      return parts.get(part)?.attempt === attempt ? segments.get(`${part} ${attempt}`) : undefined;
    },
    async endUpload({ number }, end) {
      const found = mustFind(number);
      found.end ??= end;
      return found.end;
    },
    async commitUpload(session, { cid, bytes, createdAtMs, expiresAtMs, attempts }) {
      const found = mustFind(session.number);
      const records = attempts.flatMap((attempt, i) => found.segments.get(`${i + 1} ${attempt}`) ?? []);
      if (!index.live.has(session.number)) index.staged.set(session.number, new Map(records.entries()));
      const { number, fileId, owner, k, n, segmentBytes, codingId, maskEpoch, name, contentType } = session;
      const file: FileRecord = {
        ...{ number, fileId, owner, cid, bytes, k, n, segmentBytes, segments: records.length, codingId, maskEpoch },
        ...{ createdAtMs, expiresAtMs },
        ...(name !== undefined && { name }),
        ...(contentType !== undefined && { contentType }),
      };
      const outcome = await index.commitFile(file);
      if (outcome.outcome !== 'over-quota') found.stored = true;
      return outcome;
    },
    async clearUpload({ number }) {
      const found = mustFind(number);
      found.parts.clear();
      found.segments.clear();
      index.intents.delete(number);
      index.staged.delete(number);
    },
  };
}
