/**
 * The whole declared runtime, parsed and indexed: what the state, the dispatcher, the runtime APIs, the metadata builder
 * and `chain:check` all read. There is one, `RUNTIME`; it is built once when the process starts.
 */
import { invariant } from '#shared/primitives/failure.ts';
import type { Type, Variant } from '../scale/type.ts';
import { TypeTable } from '../scale/type-table.ts';
import {
  type Constant,
  lines,
  type Method,
  type PalletDeclaration,
  parseConstants,
  parseErrors,
  parseMethods,
  parseStorage,
  parseVariants,
  type StorageItem,
  type VariantList,
} from './declaration.ts';
import { EXTRINSIC, TRANSACTION_EXTENSIONS } from './extrinsic.ts';
import { AURA, BALANCES, COMMITMENTS, SYSTEM, TIMESTAMP, TRANSACTION_PAYMENT } from './pallets.ts';
import { RUNTIME_APIS } from './runtime-apis.ts';
import { SUBTENSOR_MODULE } from './subtensor-pallet.ts';
import { TYPE_DEFINITIONS } from './types.ts';

const PALLETS = [SYSTEM, TIMESTAMP, AURA, BALANCES, TRANSACTION_PAYMENT, SUBTENSOR_MODULE, COMMITMENTS];

export interface Pallet {
  readonly name: string;
  readonly index: number;
  readonly storage: readonly StorageItem[];
  readonly calls: readonly Variant[];
  readonly events: readonly Variant[];
  readonly errors: readonly Variant[];
  readonly constants: readonly Constant[];
  /** The pallet's own enums, absent where it has none. */
  readonly callType: Type | undefined;
  readonly eventType: Type | undefined;
  readonly errorType: Type | undefined;
}
export interface Api {
  readonly name: string;
  readonly version: number;
  readonly methods: readonly Method[];
}
export interface Extension {
  readonly identifier: string;
  readonly type: Type;
  readonly implicit: Type;
}
export interface RuntimeDeclaration {
  readonly types: TypeTable;
  readonly pallets: readonly Pallet[];
  readonly apis: readonly Api[];
  readonly extensions: readonly Extension[];
  readonly extrinsicVersions: readonly number[];
  readonly extrinsicType: Type;
  readonly addressType: Type;
  readonly signatureType: Type;
  readonly callType: Type;
  readonly eventType: Type;
  readonly errorType: Type;
}

type Part = 'calls' | 'events' | 'errors';
const OUTER: Record<Part, string> = { calls: 'RuntimeCall', events: 'RuntimeEvent', errors: 'RuntimeError' };
const inner = (pallet: PalletDeclaration, part: Part) => `${pallet.name}.${part}`.replace('.', '_');

/** The text of a pallet's enum, with its indices, and of the outer enum over all pallets. */
function enumDefinitions(): Record<string, string> {
  const definitions: Record<string, string> = {};
  const numbered = (list: VariantList, part: Part): string =>
    part === 'errors'
      ? lines(list.list)
          .flatMap((line) => line.split(' '))
          .map((name) => `| ${name}`)
          .join(' ')
      : lines(list.list)
          .map((line) => line.replace(/^(\d+) (\w+)/, '| $2#$1'))
          .join(' ');
  for (const part of ['calls', 'events', 'errors'] as const) {
    const outer: string[] = [];
    for (const pallet of PALLETS) {
      const list = pallet[part];
      if (!list) continue;
      definitions[inner(pallet, part)] = `${list.path} ${numbered(list, part)}`;
      outer.push(`| ${pallet.name}#${pallet.index}(${inner(pallet, part)})`);
    }
    definitions[OUTER[part]] = `node_subtensor_runtime::${OUTER[part]} ${outer.join(' ')}`;
  }
  return definitions;
}

function build(): RuntimeDeclaration {
  const types = new TypeTable({ ...TYPE_DEFINITIONS, ...enumDefinitions() });
  const own = (pallet: PalletDeclaration, part: Part) => (pallet[part] ? types.get(inner(pallet, part)) : undefined);
  return {
    types,
    pallets: PALLETS.map((pallet) => ({
      name: pallet.name,
      index: pallet.index,
      storage: parseStorage(pallet, types),
      calls: parseVariants(pallet.calls, types),
      events: parseVariants(pallet.events, types),
      errors: parseErrors(pallet.errors),
      constants: parseConstants(pallet, types),
      callType: own(pallet, 'calls'),
      eventType: own(pallet, 'events'),
      errorType: own(pallet, 'errors'),
    })),
    apis: RUNTIME_APIS.map((api) => ({ name: api.name, version: api.version, methods: parseMethods(api, types) })),
    extensions: TRANSACTION_EXTENSIONS.map(([identifier, type, implicit]) => ({
      identifier,
      type: types.get(type),
      implicit: types.get(implicit),
    })),
    extrinsicVersions: EXTRINSIC.versions,
    extrinsicType: types.get(EXTRINSIC.type),
    addressType: types.get(EXTRINSIC.address),
    signatureType: types.get(EXTRINSIC.signature),
    callType: types.get(OUTER.calls),
    eventType: types.get(OUTER.events),
    errorType: types.get(OUTER.errors),
  };
}

export const RUNTIME: RuntimeDeclaration = build();

export function palletOf(name: string): Pallet {
  const pallet = RUNTIME.pallets.find((candidate) => candidate.name === name);
  invariant(pallet, `no pallet ${name}`);
  return pallet;
}

export function storageOf(pallet: string, name: string): StorageItem {
  const item = palletOf(pallet).storage.find((candidate) => candidate.name === name);
  invariant(item, `no storage item ${pallet}.${name}`);
  return item;
}
