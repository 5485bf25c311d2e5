/**
 * Finds an owner's upload session by its id: the file's number, which finds it, and the file's random id, which nobody
 * guesses. Somebody else's session is "no such upload".
 */
import { type EdgeResult, refuse } from '#edge/http/problem.ts';
import type { EdgePorts } from '#edge/ports.ts';
import type { UploadSession, UploadState } from '#shared/index/upload-ports.ts';
import { succeed } from '#shared/primitives/failure.ts';
import type { FileNumber, OwnerId } from '#shared/primitives/ids.ts';

/** 36⁸ > 2⁴⁰, the largest file number. */
const UPLOAD_ID = /^([0-9a-z]{1,8})-([0-9a-f]{32})$/;

export const uploadIdOf = ({ number, fileId }: UploadSession): string => `${number.toString(36)}-${fileId}`;

export async function findUpload(
  ports: Pick<EdgePorts, 'uploads'>,
  id: string,
  owner: OwnerId,
): Promise<EdgeResult<UploadState>> {
  const match = UPLOAD_ID.exec(id);
  const number = Number.parseInt(match?.[1] ?? '', 36);
  const state = Number.isSafeInteger(number) ? await ports.uploads.readUpload(number as FileNumber) : undefined;
  const known = state && state.session.fileId === match?.[2] && state.session.owner === owner;
  return known ? succeed(state) : refuse('not-found', 'you have no such upload');
}

/** Its session, while parts may come. */
export function openSession(ports: Pick<EdgePorts, 'clock'>, state: UploadState): EdgeResult<UploadSession> {
  const { session, end } = state;
  if (end === 'aborted') return refuse('upload-ended', 'the upload was aborted');
  if (end) return refuse('upload-ended', 'the upload is being completed, or is complete');
  if (session.endsAtMs <= ports.clock.nowMs()) return refuse('expired', 'the upload’s time is over');
  return succeed(session);
}
