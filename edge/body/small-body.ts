/** Bodies that are read whole because they are small: JSON, envelopes. The limit counts what comes, not what was said. */
import { concatBytes } from '#shared/primitives/bytes.ts';

/** Undefined when the body is longer than `maxBytes`. */
export async function readSmallBody(request: Request, maxBytes: number): Promise<Uint8Array | undefined> {
  if (Number(request.headers.get('Content-Length') ?? 0) > maxBytes) return undefined;
  const pieces: Uint8Array[] = [];
  let total = 0;
  for await (const piece of request.body ?? []) {
    total += piece.length;
    if (total > maxBytes) return undefined;
    pieces.push(piece);
  }
  return concatBytes(...pieces);
}
