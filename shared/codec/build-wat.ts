/** WebAssembly text to its binary form, validated: the last step of every kernel's build script. */
import wabt from 'wabt';

export async function buildWat(name: string, text: string): Promise<Uint8Array> {
  const parsed = (await wabt()).parseWat(name, text, { simd: true, relaxed_simd: true });
  try {
    parsed.resolveNames();
    parsed.validate();
    return new Uint8Array(parsed.toBinary({}).buffer);
  } finally {
    parsed.destroy();
  }
}
