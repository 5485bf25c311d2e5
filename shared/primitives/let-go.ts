/**
 * Gives a buffer's memory back now and not when it is collected. A runtime counts buffers outside its heap late, so that
 * a transfer's dead ones add up to many times what is in use. Detaches: whoever still looks sees no bytes, never wrong
 * ones. Wired where memory is scarce (the Worker); only for buffers of one's own that no one else may read any more.
 */
export function letGo(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
