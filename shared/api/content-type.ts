/**
 * Media types as owners may give them to files (RFC 9110 §8.3.1): what is stored here is later sent as a header, so
 * nothing else passes. Used by the edge for what it takes, by the client for what it sends.
 */

/** RFC 6838 allows 127 + 127 characters for type and subtype; the rest is parameters. */
const MAX_CONTENT_TYPE_CHARS = 255;

/** type "/" subtype *( OWS ";" OWS name "=" ( token / quoted-string ) ), RFC 9110 §8.3.1. */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const MEDIA_TYPE = new RegExp(
  `^(${TOKEN})/(${TOKEN})(?:[ \\t]*;[ \\t]*${TOKEN}=(?:${TOKEN}|"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\[\\t \\x21-\\x7e])*"))*$`,
);

/** The text when it is a media type that may be stored and served, else undefined. */
export function parseContentType(text: string): string | undefined {
  const type = text.trim();
  return type.length <= MAX_CONTENT_TYPE_CHARS && MEDIA_TYPE.test(type) ? type : undefined;
}
