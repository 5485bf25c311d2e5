/**
 * The format of metadata itself, versions 14, 15 and 16 (polkadot-sdk `frame-metadata`, `scale-info`), written in the
 * same notation as everything else: one description both builds our metadata and reads a real chain's. Maps are
 * encoded as lists of pairs.
 */
import { TypeTable } from '../scale/type-table.ts';

const REF = 'Compact<u32>';

export const METADATA_FORMAT = new TypeTable({
  Registered: `scale { id: ${REF}, type: Registration }`,
  Registration: 'scale { path: Vec<str>, params: Vec<Parameter>, def: Definition, docs: Vec<str> }',
  Parameter: `scale { name: str, type: Option<${REF}> }`,
  Definition: `scale
    | Composite { fields: Vec<Field> } | Variant { variants: Vec<VariantDefinition> } | Sequence { type: ${REF} }
    | Array { len: u32, type: ${REF} } | Tuple(Vec<${REF}>) | Primitive(PrimitiveName) | Compact { type: ${REF} }
    | BitSequence { store: ${REF}, order: ${REF} }`,
  Field: `scale { name: Option<str>, type: ${REF}, typeName: Option<str>, docs: Vec<str> }`,
  VariantDefinition: 'scale { name: str, fields: Vec<Field>, index: u8, docs: Vec<str> }',
  PrimitiveName: `scale
    | bool | char | str | u8 | u16 | u32 | u64 | u128 | u256 | i8 | i16 | i32 | i64 | i128 | i256`,
  Hasher: `scale
    | Blake2_128 | Blake2_256 | Blake2_128Concat | Twox128 | Twox256 | Twox64Concat | Identity`,
  EntryType: `scale | Plain(${REF}) | Map { hashers: Vec<Hasher>, key: ${REF}, value: ${REF} }`,
  Modifier: 'scale | Optional | Default | Required',
  Enum14: `scale { type: ${REF} }`,
  Enum16: `scale { type: ${REF}, deprecation: Vec<(u8, VariantDeprecation)> }`,
  Deprecation: 'scale | NotDeprecated | DeprecatedWithoutNote | Deprecated { note: str, since: Option<str> }',
  VariantDeprecation: `scale
    | DeprecatedWithoutNote#1 | Deprecated { note: str, since: Option<str> }`,
  Entry14: 'scale { name: str, modifier: Modifier, type: EntryType, fallback: Vec<u8>, docs: Vec<str> }',
  Entry16: `scale { name: str, modifier: Modifier, type: EntryType, fallback: Vec<u8>, docs: Vec<str>,
    deprecation: Deprecation }`,
  Storage14: 'scale { prefix: str, items: Vec<Entry14> }',
  Storage16: 'scale { prefix: str, items: Vec<Entry16> }',
  Constant14: `scale { name: str, type: ${REF}, value: Vec<u8>, docs: Vec<str> }`,
  Constant16: `scale { name: str, type: ${REF}, value: Vec<u8>, docs: Vec<str>, deprecation: Deprecation }`,
  Pallet14: `scale { name: str, storage: Option<Storage14>, calls: Option<Enum14>, events: Option<Enum14>,
    constants: Vec<Constant14>, errors: Option<Enum14>, index: u8 }`,
  Pallet15: `scale { name: str, storage: Option<Storage14>, calls: Option<Enum14>, events: Option<Enum14>,
    constants: Vec<Constant14>, errors: Option<Enum14>, index: u8, docs: Vec<str> }`,
  Associated: `scale { name: str, type: ${REF}, docs: Vec<str> }`,
  ViewFunction: `scale { id: [u8; 32], name: str, inputs: Vec<Input>, output: ${REF}, docs: Vec<str>,
    deprecation: Deprecation }`,
  Pallet16: `scale { name: str, storage: Option<Storage16>, calls: Option<Enum16>, events: Option<Enum16>,
    constants: Vec<Constant16>, errors: Option<Enum16>, associated: Vec<Associated>, views: Vec<ViewFunction>, index: u8,
    docs: Vec<str>, deprecation: Deprecation }`,
  Extension: `scale { identifier: str, type: ${REF}, implicit: ${REF} }`,
  Extrinsic14: `scale { type: ${REF}, version: u8, extensions: Vec<Extension> }`,
  Extrinsic15: `scale { version: u8, addressType: ${REF}, callType: ${REF}, signatureType: ${REF}, extraType: ${REF},
    extensions: Vec<Extension> }`,
  Extrinsic16: `scale { versions: Vec<u8>, addressType: ${REF}, callType: ${REF}, signatureType: ${REF},
    extensionsByVersion: Vec<(u8, Vec<Compact<u32>>)>, extensions: Vec<Extension> }`,
  Input: `scale { name: str, type: ${REF} }`,
  Method15: `scale { name: str, inputs: Vec<Input>, output: ${REF}, docs: Vec<str> }`,
  Method16: `scale { name: str, inputs: Vec<Input>, output: ${REF}, docs: Vec<str>, deprecation: Deprecation }`,
  Api15: 'scale { name: str, methods: Vec<Method15>, docs: Vec<str> }',
  Api16: `scale { name: str, methods: Vec<Method16>, docs: Vec<str>, version: Compact<u32>,
    deprecation: Deprecation }`,
  OuterEnums: `scale { callType: ${REF}, eventType: ${REF}, errorType: ${REF} }`,
  Custom: `scale { type: ${REF}, value: Vec<u8> }`,
  V14: `scale { types: Vec<Registered>, pallets: Vec<Pallet14>, extrinsic: Extrinsic14, runtime: ${REF} }`,
  V15: `scale { types: Vec<Registered>, pallets: Vec<Pallet15>, extrinsic: Extrinsic15, runtime: ${REF},
    apis: Vec<Api15>, outerEnums: OuterEnums, custom: Vec<(str, Custom)> }`,
  V16: `scale { types: Vec<Registered>, pallets: Vec<Pallet16>, extrinsic: Extrinsic16, apis: Vec<Api16>,
    outerEnums: OuterEnums, custom: Vec<(str, Custom)> }`,
});

/** `meta`, then one byte of version, then the metadata. */
export const METADATA_MAGIC = Uint8Array.of(0x6d, 0x65, 0x74, 0x61);
export const METADATA_VERSIONS = [14, 15, 16] as const;
export type MetadataVersion = (typeof METADATA_VERSIONS)[number];
