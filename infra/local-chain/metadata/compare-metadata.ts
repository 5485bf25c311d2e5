/**
 * Every difference between what the local chain declares and a real chain's metadata, one line each. Types are compared
 * by shape (paths, field names, variant indices), never by their numbers. A real chain may have more pallets, items,
 * calls and events than we declare: more is no difference, other is. Constants marked `local` are compared by type.
 */
import { equalBytes, toHex } from '#shared/primitives/bytes.ts';
import type { Variant } from '../scale/type.ts';
import { TypeComparison } from './compare-types.ts';
import type { StorageItem } from './declaration.ts';
import type { FoundEntry, FoundMetadata, FoundPallet } from './read-metadata.ts';
import { type Api, type Pallet, RUNTIME } from './runtime-declaration.ts';

export function compareMetadata(found: FoundMetadata): readonly string[] {
  const differences: string[] = [];
  const say = (where: string, what: string) => differences.push(`${where}: ${what}`);
  const types = new TypeComparison(found, say);
  for (const pallet of RUNTIME.pallets) {
    const other = found.pallets.find((candidate) => candidate.name === pallet.name);
    if (!other) say(pallet.name, 'the pallet is gone');
    else comparePallet(pallet, other, types, say);
  }
  compareExtrinsic(found, types, say);
  if (found.apis) for (const api of RUNTIME.apis) compareApi(api, found.apis, types, say);
  else say('runtime APIs', 'metadata V14 does not describe them; ask for V15 or V16');
  return differences;
}

type Say = (where: string, what: string) => void;

function comparePallet(pallet: Pallet, other: FoundPallet, types: TypeComparison, say: Say): void {
  if (pallet.index !== other.index) say(pallet.name, `index ${other.index}, declared ${pallet.index}`);
  if (pallet.storage.length > 0 && other.storage?.prefix !== pallet.name) {
    say(pallet.name, `storage prefix ${other.storage?.prefix}`);
  }
  for (const item of pallet.storage) {
    const where = `${pallet.name}.${item.name}`;
    const entry = other.storage?.items.find((candidate) => candidate.name === item.name);
    if (!entry) say(where, 'the storage item is gone');
    else compareStorage(where, item, entry, types, say);
  }
  compareVariants(`${pallet.name} call`, pallet.calls, other.calls?.type, types, say);
  compareVariants(`${pallet.name} event`, pallet.events, other.events?.type, types, say);
  compareVariants(`${pallet.name} error`, pallet.errors, other.errors?.type, types, say);
  for (const constant of pallet.constants) {
    const where = `${pallet.name}.${constant.name}`;
    const entry = other.constants.find((candidate) => candidate.name === constant.name);
    if (!entry) {
      say(where, 'the constant is gone');
      continue;
    }
    types.compare(where, constant.type, entry.type);
    if (constant.value && !equalBytes(constant.value, entry.value)) {
      say(where, `value ${toHex(entry.value)}, declared ${toHex(constant.value)}`);
    }
  }
}

function compareStorage(where: string, item: StorageItem, entry: FoundEntry, types: TypeComparison, say: Say): void {
  const modifier = item.optional ? 'Optional' : 'Default';
  if (entry.modifier.type !== modifier) say(where, `${entry.modifier.type}, declared ${modifier}`);
  if (!equalBytes(item.fallback, entry.fallback)) {
    say(where, `default ${toHex(entry.fallback)}, declared ${toHex(item.fallback)}`);
  }
  const map = entry.type.type === 'Map' ? entry.type.value : undefined;
  const hashers = map ? map.hashers.map((hasher) => hasher.type) : [];
  const declared = item.keys.map((key) => key.hasher);
  if (hashers.join() !== declared.join()) {
    say(where, `hashers (${hashers.join(', ')}), declared (${declared.join(', ')})`);
    return;
  }
  types.compare(where, item.value, entry.type.type === 'Map' ? entry.type.value.value : entry.type.value);
  if (map) {
    const [only] = item.keys;
    if (item.keys.length === 1 && only) types.compare(`${where} key`, only.type, map.key);
    else types.compare(`${where} key`, { kind: 'tuple', of: item.keys.map((key) => key.type) }, map.key);
  }
}

function compareVariants(
  where: string,
  declared: readonly Variant[],
  id: number | undefined,
  types: TypeComparison,
  say: Say,
): void {
  const found = types.variants(id);
  for (const variant of declared) {
    const other = found.find((candidate) => candidate.name === variant.name);
    if (!other) say(`${where} ${variant.name}`, 'gone');
    else types.compareVariant(`${where} ${variant.name}`, variant, other);
  }
}

function compareExtrinsic(found: FoundMetadata, types: TypeComparison, say: Say): void {
  const { extrinsic } = found;
  const versions = extrinsic.versions ? [...extrinsic.versions] : [extrinsic.version];
  if (!versions.includes(4)) say('extrinsic', `versions ${versions.join(', ')}; ours are of version 4`);
  if (extrinsic.addressType !== undefined) types.compare('address', RUNTIME.addressType, extrinsic.addressType);
  if (extrinsic.signatureType !== undefined) types.compare('signature', RUNTIME.signatureType, extrinsic.signatureType);
  const names = extrinsic.extensions.map((extension) => extension.identifier);
  const declared = RUNTIME.extensions.map((extension) => extension.identifier);
  if (names.join() !== declared.join()) {
    say('transaction extensions', `${names.join(', ')}; declared ${declared.join(', ')}`);
    return;
  }
  RUNTIME.extensions.forEach((extension, i) => {
    const other = extrinsic.extensions[i];
    if (!other) return;
    types.compare(extension.identifier, extension.type, other.type);
    types.compare(`${extension.identifier} implicit`, extension.implicit, other.implicit);
  });
}

function compareApi(api: Api, found: NonNullable<FoundMetadata['apis']>, types: TypeComparison, say: Say): void {
  const other = found.find((candidate) => candidate.name === api.name);
  if (!other) {
    say(api.name, 'the runtime API is gone');
    return;
  }
  if (other.version !== undefined && other.version !== api.version) {
    say(api.name, `version ${other.version}, declared ${api.version}`);
  }
  for (const method of api.methods) {
    const where = `${api.name}.${method.name}`;
    const twin = other.methods.find((candidate) => candidate.name === method.name);
    if (!twin) {
      say(where, 'the method is gone');
      continue;
    }
    types.compareFields(where, method.inputs, twin.inputs);
    types.compare(`${where} result`, method.output, twin.output);
  }
}
