/**
 * Names of files: one path-free component that is safe to show, to save under and to stand in a URL. Unicode is
 * kept, in NFC so that the same name typed on two systems is one name. A name that breaks a rule is refused, never
 * mended. Used for uploads, renames and by-name routes alike.
 */
import { utf8 } from '#shared/primitives/bytes.ts';

/** The limit of ext4, APFS and NTFS-compatible stores for one path component. */
export const MAX_NAME_BYTES = 255;

/** C0, DEL, C1, line and paragraph separators. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
/** Overrides and isolates turn `cod.exe` into `exe.doc` on screen (Unicode TR 36 §3.2). */
const BIDI_CONTROL = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

export type NameOutcome =
  | { readonly ok: true; readonly name: string }
  | { readonly ok: false; readonly message: string };

const refuse = (message: string): NameOutcome => ({ ok: false, message });

export function parseFileName(text: string): NameOutcome {
  if (!text.isWellFormed()) return refuse('a name must be well-formed Unicode');
  const name = text.normalize('NFC');
  if (name === '') return refuse('a name must not be empty');
  if (name === '.' || name === '..') return refuse('a name must not be . or ..');
  if (/[/\\]/.test(name)) return refuse('a name must not contain / or \\: it names one file, not a path');
  if (CONTROL.test(name)) return refuse('a name must not contain control characters or line breaks');
  if (BIDI_CONTROL.test(name)) return refuse('a name must not contain characters that reverse the text direction');
  if (utf8(name).length > MAX_NAME_BYTES)
    return refuse(`a name must not be longer than ${MAX_NAME_BYTES} bytes of UTF-8`);
  return { ok: true, name };
}

/** The same from percent-encoded text: a header, or a path component as it was sent. */
export function decodeFileName(encoded: string): NameOutcome {
  let text: string;
  try {
    text = decodeURIComponent(encoded);
  } catch {
    return refuse('a name must be percent-encoded UTF-8 (a lone % is written %25)');
  }
  return parseFileName(text);
}
