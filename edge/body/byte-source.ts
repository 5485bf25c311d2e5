/**
 * Where the bytes of an upload come from: a request's body (`stream-source.ts`), a part of a form (`multipart.ts`). A
 * source fills the caller's buffer in place, so that a byte is copied once between the socket and the segment that is
 * coded.
 */
export interface Filled {
  /** The buffer that was handed over, or its memory under a new view: the old one may be detached. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  /** Bytes written from `from` on; 0 at the end of the source only. */
  readonly filled: number;
}

export interface ByteSource {
  /** Reads one byte or more into `buffer` from offset `from` (which must leave room). Rejects when the body breaks. */
  read(buffer: Uint8Array<ArrayBuffer>, from: number): Promise<Filled>;
}
