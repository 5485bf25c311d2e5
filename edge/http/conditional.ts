/**
 * Conditional requests of RFC 9110 §13 for bytes that never change: the entity tag is the quoted CID, so it is
 * strong and the same for ever. Evaluated in the order of §13.2.2; dates that do not parse are ignored, as the RFC says.
 */
import type { Cid } from '#shared/primitives/ids.ts';

export interface FileValidators {
  readonly cid: Cid;
  readonly createdAtMs: number;
}

export type Precondition = 'proceed' | 'not-modified' | 'failed';

export const etagOf = (cid: Cid): string => `"${cid}"`;

/** HTTP dates know whole seconds. */
const wholeSeconds = (ms: number): number => Math.floor(ms / 1000) * 1000;

export const lastModifiedOf = (file: FileValidators): string => new Date(wholeSeconds(file.createdAtMs)).toUTCString();

/** Members of an entity-tag list; undefined when the field is malformed. */
function entityTags(header: string): readonly { readonly weak: boolean; readonly tag: string }[] | undefined {
  const tags: { weak: boolean; tag: string }[] = [];
  const member = /\s*(?:(W\/)?("[\x21\x23-\x7e\x80-\xff]*"))?\s*(,|$)/y;
  while (member.lastIndex < header.length) {
    const match = member.exec(header);
    if (!match) return undefined;
    if (match[2] !== undefined) tags.push({ weak: match[1] !== undefined, tag: match[2] });
    if (match[3] === '') break;
  }
  return tags;
}

function matches(header: string, tag: string, comparison: 'strong' | 'weak'): boolean {
  if (header.trim() === '*') return true;
  return (entityTags(header) ?? []).some((item) => item.tag === tag && (comparison === 'weak' || !item.weak));
}

/** The date of a header, in whole seconds; undefined when it is no date (the header is then ignored). */
function parseDate(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = Date.parse(header);
  return Number.isNaN(ms) ? undefined : ms;
}

export function evaluatePreconditions(headers: Headers, file: FileValidators): Precondition {
  const tag = etagOf(file.cid);
  const modified = wholeSeconds(file.createdAtMs);
  const ifMatch = headers.get('If-Match');
  if (ifMatch !== null) {
    if (!matches(ifMatch, tag, 'strong')) return 'failed';
  } else {
    const since = parseDate(headers.get('If-Unmodified-Since'));
    if (since !== undefined && modified > since) return 'failed';
  }
  const ifNoneMatch = headers.get('If-None-Match');
  if (ifNoneMatch !== null) return matches(ifNoneMatch, tag, 'weak') ? 'not-modified' : 'proceed';
  const since = parseDate(headers.get('If-Modified-Since'));
  return since !== undefined && modified <= since ? 'not-modified' : 'proceed';
}

/** Whether `Range` may be honoured: If-Range is absent, or its strong tag or exact date still holds (§13.1.5). */
export function rangeStillValid(headers: Headers, file: FileValidators): boolean {
  const ifRange = headers.get('If-Range')?.trim();
  if (ifRange === undefined) return true;
  if (ifRange.startsWith('"') || ifRange.startsWith('W/')) return ifRange === etagOf(file.cid);
  return parseDate(ifRange) === wholeSeconds(file.createdAtMs);
}
