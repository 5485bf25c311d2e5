/**
 * Headers under which stored bytes are served. The bytes are a stranger's: a browser must neither guess their type
 * nor run anything in them, and shows only what cannot carry a script. RFC 6266 and 8187 for the file name.
 */
import { utf8 } from '#shared/primitives/bytes.ts';

const DEFAULT_CONTENT_TYPE = 'application/octet-stream';
/** Images (SVG is a document with scripts, not an image), audio, video and plain text may be shown in place. */
export function isShownInline(contentType: string): boolean {
  const essence = (contentType.split(';')[0] ?? '').trim().toLowerCase();
  if (essence === 'text/plain') return true;
  if (essence.startsWith('image/')) return !essence.startsWith('image/svg');
  return essence.startsWith('audio/') || essence.startsWith('video/');
}

/** RFC 8187 ext-value: everything but attr-char is percent-encoded. */
function extValue(name: string): string {
  let out = "UTF-8''";
  for (const byte of utf8(name)) {
    const char = String.fromCharCode(byte);
    out += /[A-Za-z0-9!#$&+.^_`|~-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** RFC 6266 §4.3 and appendix D: a plain ASCII `filename` for old readers, `filename*` when that lost something. */
export function contentDisposition(disposition: 'inline' | 'attachment', name: string | undefined): string {
  if (name === undefined) return disposition;
  const plain = name.replace(/[^\x20-\x7e]/gu, '_').replace(/["\\%]/g, '_');
  const fallback = `${disposition}; filename="${plain}"`;
  return plain === name ? fallback : `${fallback}; filename*=${extValue(name)}`;
}

export interface ServedFile {
  readonly contentType?: string;
  readonly name?: string;
}

export function servedHeaders(file: ServedFile): Record<string, string> {
  const contentType = file.contentType ?? DEFAULT_CONTENT_TYPE;
  return {
    'Content-Type': contentType,
    'Content-Disposition': contentDisposition(isShownInline(contentType) ? 'inline' : 'attachment', file.name),
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'",
    'Referrer-Policy': 'no-referrer',
  };
}
