/**
 * Reads a metadata blob (V14, V15 or V16; bare, or wrapped as `state_getMetadata` and `Metadata_metadata_at_version`
 * answer it) into one shape. Used by `chain:check` on real chains' metadata.
 */
import { equalBytes } from '#shared/primitives/bytes.ts';
import { decode, read, whole } from '../scale/decode.ts';
import type { ScaleValue } from '../scale/type.ts';
import { METADATA_FORMAT, METADATA_MAGIC, METADATA_VERSIONS } from './metadata-format.ts';

export interface FoundField {
  readonly name?: string;
  readonly type: number;
}
export interface FoundVariant {
  readonly name: string;
  readonly index: number;
  readonly fields: readonly FoundField[];
}
export interface FoundType {
  readonly path: readonly string[];
  readonly def:
    | { readonly type: 'Composite'; readonly value: { readonly fields: readonly FoundField[] } }
    | { readonly type: 'Variant'; readonly value: { readonly variants: readonly FoundVariant[] } }
    | { readonly type: 'Sequence' | 'Compact'; readonly value: { readonly type: number } }
    | { readonly type: 'Array'; readonly value: { readonly len: number; readonly type: number } }
    | { readonly type: 'Tuple'; readonly value: readonly number[] }
    | { readonly type: 'Primitive'; readonly value: { readonly type: string } }
    | { readonly type: 'BitSequence'; readonly value: unknown };
}
export interface FoundEntry {
  readonly name: string;
  readonly modifier: { readonly type: string };
  readonly type:
    | { readonly type: 'Plain'; readonly value: number }
    | {
        readonly type: 'Map';
        readonly value: {
          readonly hashers: readonly { readonly type: string }[];
          readonly key: number;
          readonly value: number;
        };
      };
  readonly fallback: Uint8Array;
}
interface FoundRef {
  readonly type: number;
}
export interface FoundPallet {
  readonly name: string;
  readonly index: number;
  readonly storage?: { readonly prefix: string; readonly items: readonly FoundEntry[] };
  readonly calls?: FoundRef;
  readonly events?: FoundRef;
  readonly errors?: FoundRef;
  readonly constants: readonly { readonly name: string; readonly type: number; readonly value: Uint8Array }[];
}
export interface FoundApi {
  readonly name: string;
  /** V16 only. */
  readonly version?: number;
  readonly methods: readonly {
    readonly name: string;
    readonly inputs: readonly { readonly name: string; readonly type: number }[];
    readonly output: number;
  }[];
}
export interface FoundMetadata {
  readonly version: number;
  readonly types: readonly { readonly id: number; readonly type: FoundType }[];
  readonly pallets: readonly FoundPallet[];
  readonly extrinsic: {
    readonly version?: number;
    readonly versions?: Uint8Array;
    readonly addressType?: number;
    readonly signatureType?: number;
    readonly extensions: readonly { readonly identifier: string; readonly type: number; readonly implicit: number }[];
  };
  /** Absent in V14. */
  readonly apis?: readonly FoundApi[];
}

/** The metadata, or undefined when the bytes are not metadata of a version that we read. */
export function readMetadata(bytes: Uint8Array): FoundMetadata | undefined {
  const version = bytes[METADATA_MAGIC.length];
  if (equalBytes(bytes.subarray(0, METADATA_MAGIC.length), METADATA_MAGIC)) {
    if (!METADATA_VERSIONS.some((known) => known === version)) return undefined;
    const found = decode(METADATA_FORMAT.get(`V${version}`), bytes.subarray(METADATA_MAGIC.length + 1));
    // Decoded by its own format: the shape is what METADATA_FORMAT says.
    return found && ({ version, ...(found.value as object) } as FoundMetadata);
  }
  const unwrapped = unwrap(bytes);
  return unwrapped && readMetadata(unwrapped);
}

/** The inside of `Option<Vec<u8>>` or of `Vec<u8>`; only when that begins with the magic, so that this ends. */
function unwrap(bytes: Uint8Array): Uint8Array | undefined {
  const opaque = METADATA_FORMAT.get('Vec<u8>');
  const begins = (value: ScaleValue): value is Uint8Array =>
    value instanceof Uint8Array && equalBytes(value.subarray(0, METADATA_MAGIC.length), METADATA_MAGIC);
  for (const skipped of [0, 1]) {
    const found = whole(bytes.subarray(skipped), (reader) => read(reader, opaque));
    if (found && begins(found.value)) return found.value;
  }
  return undefined;
}
