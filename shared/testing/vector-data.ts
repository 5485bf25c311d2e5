/** The data that the known answers of `test/vectors` are about: byte[i] = (i·131 + ⌊i/256⌋) mod 256. */
export const vectorData = (bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => i * 131 + (i >> 8));
