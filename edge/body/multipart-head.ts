/**
 * The texts of a form: the boundary in `Content-Type`, and the header block of a part (RFC 7578, RFC 2046 §5.1). Every
 * form that browsers and curl send is understood; what is out of shape is refused.
 */
import { type EdgeResult, refuse } from '#edge/http/problem.ts';
import { parseContentType } from '#shared/api/content-type.ts';
import { succeed } from '#shared/primitives/failure.ts';

/** RFC 2046 §5.1.1: 1 to 70 of bchars, not ending in a space. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

/** The boundary of a multipart/form-data body; undefined for any other type of body; a failure for a broken one. */
export function boundaryOf(contentType: string | null): EdgeResult<string | undefined> {
  if (contentType === null || !/^\s*multipart\//i.test(contentType)) return succeed(undefined);
  if (!/^\s*multipart\/form-data\s*(?:;|$)/i.test(contentType)) {
    return refuse('unsupported-type', 'of the multipart types only multipart/form-data is understood');
  }
  const found = [...contentType.matchAll(/;\s*boundary=(?:"([^"\\]*)"|([^\s;"]+))\s*(?=;|$)/gi)];
  const boundary = found[0]?.[1] ?? found[0]?.[2] ?? '';
  if (found.length !== 1 || !BOUNDARY.test(boundary)) {
    return refuse('bad-request', 'multipart/form-data needs one boundary of 1 to 70 allowed characters');
  }
  return succeed(boundary);
}

export interface PartHead {
  readonly filename: string;
  readonly contentType?: string | undefined;
}

export type PartHeadOutcome =
  | { readonly ok: true; readonly head: PartHead }
  | { readonly ok: false; readonly message: string };

const wrong = (message: string): PartHeadOutcome => ({ ok: false, message });

/** WHATWG form encoding: of a name only CR, LF and " are escaped, as %0D, %0A and %22; curl also sends \" and \\. */
function unescapeName(quoted: string): string {
  return quoted
    .replace(/\\(["\\])/g, '$1')
    .replace(/%(22|0D|0A)/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

const DISPOSITION_PARAMETER = /;\s*([A-Za-z0-9*_-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/y;

function dispositionOf(value: string): ReadonlyMap<string, string> | undefined {
  const kind = /^\s*form-data\s*/i.exec(value);
  if (!kind) return undefined;
  const parameters = new Map<string, string>();
  DISPOSITION_PARAMETER.lastIndex = kind[0].length;
  while (DISPOSITION_PARAMETER.lastIndex < value.trimEnd().length) {
    const match = DISPOSITION_PARAMETER.exec(value);
    if (!match) return undefined;
    const name = (match[1] ?? '').toLowerCase();
    if (parameters.has(name)) return undefined;
    parameters.set(name, match[2] === undefined ? (match[3] ?? '') : unescapeName(match[2]));
  }
  return parameters;
}

/** @param block the header lines of a part, without the empty line after them; UTF-8 (RFC 7578 §5.1) */
export function parsePartHead(block: Uint8Array): PartHeadOutcome {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(block);
  } catch {
    return wrong('the headers of a part are not UTF-8');
  }
  let disposition: string | undefined;
  let type: string | undefined;
  for (const line of text === '' ? [] : text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon < 1 || /[\s\0]/.test(line.slice(0, colon))) return wrong('a part has a malformed header line');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'content-disposition') {
      if (disposition !== undefined) return wrong('a part has two Content-Disposition headers');
      disposition = value;
    } else if (name === 'content-type') {
      type = value;
    } else if (name === 'content-transfer-encoding' && !/^(?:binary|8bit|7bit)$/i.test(value)) {
      return wrong('parts must be sent as they are, without a Content-Transfer-Encoding');
    }
  }
  const parameters = disposition === undefined ? undefined : dispositionOf(disposition);
  if (!parameters) return wrong('a part lacks a well-formed "Content-Disposition: form-data"');
  const filename = parameters.get('filename');
  if (filename === undefined) {
    return wrong(`"${(parameters.get('name') ?? '').slice(0, 40)}" is no file; options go in headers or the query`);
  }
  const contentType = type === undefined ? undefined : parseContentType(type);
  if (type !== undefined && contentType === undefined) return wrong('the Content-Type of a part is not a media type');
  return { ok: true, head: { filename, contentType } };
}
