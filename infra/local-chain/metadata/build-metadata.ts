/**
 * The local chain's own metadata, built from the declared runtime in the version that a client asks for. Values of
 * constants that are the chain's own (block time, runtime version) come in as `local`, by `Pallet.Constant`.
 */
import { concatBytes } from '#shared/primitives/bytes.ts';
import { invariant } from '#shared/primitives/failure.ts';
import { encode } from '../scale/encode.ts';
import type { ScaleValue, Type } from '../scale/type.ts';
import type { StorageItem } from './declaration.ts';
import { METADATA_FORMAT, METADATA_MAGIC, type MetadataVersion } from './metadata-format.ts';
import { PortableRegistry } from './portable-registry.ts';
import { type Pallet, RUNTIME } from './runtime-declaration.ts';

const docs: ScaleValue = [];
/** V14 and V15 know one version of extrinsic. */
const EXTRINSIC_VERSION = 4;
const deprecation: ScaleValue = { type: 'NotDeprecated' };

/** The blob with its magic and version, as `state_getMetadata` answers it. */
export function buildMetadata(version: MetadataVersion, local: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const registry = new PortableRegistry();
  const id = (type: Type): number => registry.id(type);
  const ref = (type: Type | undefined): ScaleValue => type && { type: id(type), deprecation: [] };
  const pallets = RUNTIME.pallets.map((pallet) => ({
    name: pallet.name,
    storage:
      pallet.storage.length === 0
        ? undefined
        : { prefix: pallet.name, items: pallet.storage.map((item) => entry(item, id)) },
    calls: ref(pallet.callType),
    events: ref(pallet.eventType),
    constants: constants(pallet, local, id),
    errors: ref(pallet.errorType),
    associated: [],
    views: [],
    index: pallet.index,
    docs,
    deprecation,
  }));
  const extrinsic = {
    type: id(RUNTIME.extrinsicType),
    version: EXTRINSIC_VERSION,
    versions: Uint8Array.from(RUNTIME.extrinsicVersions),
    addressType: id(RUNTIME.addressType),
    callType: id(RUNTIME.callType),
    signatureType: id(RUNTIME.signatureType),
    extraType: id(tuple(RUNTIME.extensions.map((extension) => extension.type))),
    extensionsByVersion: [[0, RUNTIME.extensions.map((_, i) => i)]],
    extensions: RUNTIME.extensions.map(({ identifier, type, implicit }) => ({
      identifier,
      type: id(type),
      implicit: id(implicit),
    })),
  };
  const apis = RUNTIME.apis.map((api) => ({
    name: api.name,
    methods: api.methods.map((method) => ({
      name: method.name,
      inputs: method.inputs.map((input) => ({ name: input.name, type: id(input.type) })),
      output: id(method.output),
      docs,
      deprecation,
    })),
    docs,
    version: api.version,
    deprecation,
  }));
  const outerEnums = {
    callType: id(RUNTIME.callType),
    eventType: id(RUNTIME.eventType),
    errorType: id(RUNTIME.errorType),
  };
  const runtime = id({ kind: 'struct', path: 'node_subtensor_runtime::Runtime', params: [], fields: [] });
  const types = registry.list();
  const value = { types, pallets, extrinsic, runtime, apis, outerEnums, custom: [] };
  const body = encode(METADATA_FORMAT.get(`V${version}`), value);
  return concatBytes(METADATA_MAGIC, Uint8Array.of(version), body);
}

const tuple = (of: readonly Type[]): Type => ({ kind: 'tuple', of });

function entry(item: StorageItem, id: (type: Type) => number): ScaleValue {
  const [only] = item.keys;
  const key = item.keys.length === 1 && only ? only.type : tuple(item.keys.map((part) => part.type));
  return {
    name: item.name,
    modifier: { type: item.optional ? 'Optional' : 'Default' },
    type:
      item.keys.length === 0
        ? { type: 'Plain', value: id(item.value) }
        : {
            type: 'Map',
            value: { hashers: item.keys.map(({ hasher }) => ({ type: hasher })), key: id(key), value: id(item.value) },
          },
    fallback: item.fallback,
    docs,
    deprecation,
  };
}

function constants(pallet: Pallet, local: ReadonlyMap<string, Uint8Array>, id: (type: Type) => number): ScaleValue {
  return pallet.constants.map((constant) => {
    const value = constant.value ?? local.get(`${pallet.name}.${constant.name}`);
    invariant(value, `constant ${pallet.name}.${constant.name} has no value`);
    return { name: constant.name, type: id(constant.type), value, docs, deprecation };
  });
}
