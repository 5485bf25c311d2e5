import { Metadata, TypeRegistry } from '@polkadot/types';
import { describe, expect, it, vi } from 'vitest';
import { toHex } from '#shared/primitives/bytes.ts';
import { RUNTIME_VERSION_BYTES } from '../runtime/runtime-version.ts';
import { decode } from '../scale/decode.ts';
import { encode } from '../scale/encode.ts';
import type { ScaleValue } from '../scale/type.ts';
import { buildMetadata } from './build-metadata.ts';
import { compareMetadata } from './compare-metadata.ts';
import { METADATA_FORMAT, METADATA_VERSIONS } from './metadata-format.ts';
import { type FoundMetadata, readMetadata } from './read-metadata.ts';
import { RUNTIME } from './runtime-declaration.ts';

const local = new Map([
  ['System.Version', RUNTIME_VERSION_BYTES],
  ['Timestamp.MinimumPeriod', new Uint8Array(8)],
  ['Aura.SlotDuration', new Uint8Array(8)],
]);
const read = (bytes: Uint8Array): FoundMetadata => {
  const found = readMetadata(bytes);
  if (!found) throw new Error('no metadata');
  return found;
};

describe.each(METADATA_VERSIONS)('metadata V%i', (version) => {
  const bytes = buildMetadata(version, local);

  it('is read by the client library, byte for byte', () => {
    // It says which extensions it does not know; they have no effect.
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const registry = new TypeRegistry();
    const metadata = new Metadata(registry, bytes);
    expect(metadata.version).toBe(version);
    expect(toHex(metadata.toU8a())).toBe(toHex(bytes));
    registry.setMetadata(metadata);
    expect(
      registry.findMetaError({ index: registry.createType('u8', 7), error: registry.createType('u8', 29) } as never)
        .name,
    ).toBe('SettingWeightsTooFast');
  });

  it('differs in nothing from what is declared', () => {
    const differences = compareMetadata(read(bytes));
    const expected = version === 14 ? ['runtime APIs: metadata V14 does not describe them; ask for V15 or V16'] : [];
    expect(differences).toEqual(expected);
  });

  it('is read bare and wrapped, and not when a byte is missing or too many', () => {
    const opaque = encode(METADATA_FORMAT.get('Vec<u8>'), bytes);
    const optional = encode(METADATA_FORMAT.get('Option<Vec<u8>>'), bytes);
    for (const wrapped of [bytes, opaque, optional]) expect(readMetadata(wrapped)?.version).toBe(version);
    expect(readMetadata(bytes.subarray(0, -1))).toBeUndefined();
    expect(readMetadata(Uint8Array.of(...bytes, 0))).toBeUndefined();
  });
});

describe('a chain that is different', () => {
  const format = METADATA_FORMAT.get('V16');
  const bytes = buildMetadata(16, local);
  const original = decode(format, bytes.subarray(5))?.value as unknown as Tree;
  type Tree = { [key: string]: Tree } & Tree[] & { name: string; type: Tree; value: Tree; index: number };
  const pallet = (tree: Tree, name: string): Tree =>
    (tree.pallets as Tree).find((found) => found.name === name) as Tree;
  const item = (tree: Tree, name: string): Tree =>
    (pallet(tree, 'SubtensorModule').storage as Tree).items?.find((found: Tree) => found.name === name) as Tree;
  const named = (tree: Tree, path: string): Tree =>
    (tree.types as Tree).find((found) => (found.type.path as unknown as string[]).join('::').endsWith(path)) as Tree;
  const variants = (tree: Tree, path: string): Tree => (named(tree, path).type.def as Tree).value.variants as Tree;
  const take = (list: Tree, name: string) =>
    list.splice(
      list.findIndex((found) => found.name === name),
      1,
    );

  const CASES: readonly [string, (tree: Tree) => void, string][] = [
    ['a pallet is gone', (tree) => take(tree.pallets as Tree, 'Commitments'), 'Commitments: the pallet is gone'],
    ['a pallet has moved', (tree) => Object.assign(pallet(tree, 'Balances'), { index: 9 }), 'Balances: index 9'],
    [
      'a storage item is gone',
      (tree) => take((pallet(tree, 'SubtensorModule').storage as Tree).items as Tree, 'Uids'),
      'SubtensorModule.Uids: the storage item is gone',
    ],
    [
      'a hasher is another',
      (tree) => Object.assign(item(tree, 'Tempo').type.value, { hashers: [{ type: 'Twox64Concat' }] }),
      'SubtensorModule.Tempo: hashers (Twox64Concat), declared (Identity)',
    ],
    [
      'a default is another',
      (tree) => Object.assign(item(tree, 'Tempo'), { fallback: Uint8Array.of(1, 0) }),
      'SubtensorModule.Tempo: default 0100, declared 6801',
    ],
    [
      'an optional item has a default',
      (tree) => Object.assign(item(tree, 'Uids'), { modifier: { type: 'Default' } }),
      'SubtensorModule.Uids: Default, declared Optional',
    ],
    [
      'a value has another type',
      (tree) => Object.assign(item(tree, 'Tempo').type.value, { value: item(tree, 'Burn').type.value.value }),
      'SubtensorModule.Tempo: u64, declared u16',
    ],
    [
      'a call has another index',
      (tree) => Object.assign(variants(tree, 'pallet_subtensor::pallet::Call')[0] as Tree, { index: 99 }),
      'SubtensorModule call set_weights: index 99, declared 0',
    ],
    [
      'an argument has another name',
      (tree) => {
        const call = variants(tree, 'pallet_subtensor::pallet::Call')[0] as Tree;
        Object.assign((call.fields as Tree)[0] as Tree, { name: 'subnet' });
      },
      'SubtensorModule call set_weights: fields (subnet, dests, weights, version_key)',
    ],
    [
      'an error has moved',
      (tree) => Object.assign(variants(tree, 'pallet_subtensor::pallet::Error')[4] as Tree, { index: 200 }),
      'SubtensorModule error HotKeyNotRegisteredInSubNet: index 200, declared 4',
    ],
    [
      'an event is gone',
      (tree) => take(variants(tree, 'pallet_subtensor::pallet::Event'), 'NeuronRegistered'),
      'SubtensorModule event NeuronRegistered: gone',
    ],
    [
      'a struct has a field more',
      (tree) => {
        const fields = (named(tree, 'pallet::AxonInfo').type.def as Tree).value.fields as Tree;
        fields.push({ ...(fields[0] as Tree), name: 'quic' } as Tree);
      },
      'SubtensorModule.Axons: fields (block, version, ip, port, ip_type, protocol, placeholder1, placeholder2, quic)',
    ],
    [
      'a value can be a variant more',
      (tree) => {
        const list = variants(tree, 'frame_system::Phase');
        list.push({ ...(list[1] as Tree), name: 'Later', index: 3 } as Tree);
      },
      'System.Events.phase::Later: variant 3 is not declared',
    ],
    [
      'a runtime method is gone',
      (tree) =>
        take(
          (tree.apis as Tree).find(({ name }) => name === 'NeuronInfoRuntimeApi')?.methods as Tree,
          'get_neurons_lite',
        ),
      'NeuronInfoRuntimeApi.get_neurons_lite: the method is gone',
    ],
    [
      'a runtime API has another version',
      (tree) =>
        Object.assign((tree.apis as Tree).find(({ name }) => name === 'SubnetInfoRuntimeApi') as Tree, { version: 3 }),
      'SubnetInfoRuntimeApi: version 3, declared 2',
    ],
    [
      'an extension is new',
      (tree) => {
        const { extensions } = tree.extrinsic as Tree;
        (extensions as Tree).push({ ...((extensions as Tree)[0] as Tree), identifier: 'CheckMore' } as never);
      },
      'transaction extensions: CheckNonZeroSender',
    ],
    [
      'a constant has another value',
      (tree) => {
        const constant = (pallet(tree, 'Balances').constants as Tree)[0] as Tree;
        Object.assign(constant, { value: new Uint8Array(8) });
      },
      'Balances.ExistentialDeposit: value 0000000000000000, declared f401000000000000',
    ],
  ];

  it.each(CASES)('is told apart when %s', (_, change, line) => {
    const tree = structuredClone(original);
    change(tree);
    const changed = Uint8Array.of(...bytes.subarray(0, 5), ...encode(format, tree as unknown as ScaleValue));
    expect(compareMetadata(read(changed)).join('\n')).toContain(line);
  });

  it('may have more of everything that stands apart', () => {
    const tree = structuredClone(original);
    const { items } = pallet(tree, 'SubtensorModule').storage as Tree;
    (items as Tree).push({ ...item(tree, 'Tempo'), name: 'Another' } as Tree);
    const calls = variants(tree, 'pallet_subtensor::pallet::Call');
    calls.push({ ...(calls[0] as Tree), name: 'another', index: 250 } as Tree);
    const changed = Uint8Array.of(...bytes.subarray(0, 5), ...encode(format, tree as unknown as ScaleValue));
    expect(compareMetadata(read(changed))).toEqual([]);
  });

  it('is not there in random bytes', () => {
    expect(readMetadata(new Uint8Array(0))).toBeUndefined();
    expect(readMetadata(Uint8Array.of(0x6d, 0x65, 0x74, 0x61, 13, 0))).toBeUndefined();
    expect(RUNTIME.pallets.length).toBeGreaterThan(5);
  });
});
