/**
 * The two inner loops that everything waits for, as WebAssembly SIMD with one source for Node, workerd and browsers
 * (`kernel.wat` → `kernel.wasm`; a test rebuilds and compares it): multiplication of shards by a matrix over GF(2⁸),
 * and SHA-256 of many leaves at once. Workers may not compile bytes, so the compiled module is an argument:
 * a static import in the Worker, `shared/codec/node-kernel.ts` in Node.
 */
export interface Kernel {
  /**
   * outputs[r] = Σ_c matrix[r·k + c] · inputs[c] over GF(2⁸) mod 0x11d, byte by byte.
   * @param matrix rows × k coefficients, row by row
   * @param inputs k shards of equal length
   * @param outputs as many as there are rows, of that length; overwritten
   */
  multiply(matrix: Uint8Array, inputs: readonly Uint8Array[], outputs: readonly Uint8Array[]): void;
  /**
   * Leaf hashes of a shard, H(0x00 ‖ leaf) for each 1024-byte leaf (por/v1 §2), 32 bytes each in order.
   * @param shard any length that is a multiple of 1024, or the tail of a shard; empty gives the one empty leaf
   */
  hashLeaves(shard: Uint8Array): Uint8Array;
  /** H(0x01 ‖ left ‖ right) of each pair of 32-byte nodes; a lone last node is copied unchanged. */
  hashNodes(nodes: Uint8Array): Uint8Array;
  /**
   * One step of SHA-256 over a long message: whole blocks of 64 bytes into a state, which is changed in place.
   * @param state 32 bytes as FIPS 180-4 writes it, big-endian; `sha256-chain.ts` begins and ends one
   */
  hashBlocks(state: Uint8Array, blocks: Uint8Array): void;
}
