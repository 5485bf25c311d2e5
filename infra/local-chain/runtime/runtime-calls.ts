/**
 * Runtime APIs (`state_call`): arguments decoded and answers encoded by their declaration. What the bytes ask is
 * answered from the state of the block asked about.
 */
import { concatBytes } from '#shared/primitives/bytes.ts';
import { type Failure, fail, type Result, succeed } from '#shared/primitives/failure.ts';
import { buildMetadata } from '../metadata/build-metadata.ts';
import { METADATA_VERSIONS, type MetadataVersion } from '../metadata/metadata-format.ts';
import { RUNTIME } from '../metadata/runtime-declaration.ts';
import { decodeFields, whole } from '../scale/decode.ts';
import { encode, encodeLength } from '../scale/encode.ts';
import type { ScaleValue } from '../scale/type.ts';
import type { StateView } from '../state/state-view.ts';
import { nextEpochBlock } from './epoch-schedule.ts';
import { parseExtrinsic } from './extrinsic.ts';
import { DISPATCH_WEIGHT, feeOf, totalFee } from './fees.ts';
import { System } from './items.ts';
import { metagraph, neuronInfo, neuronInfos, selectiveMetagraph } from './metagraph.ts';
import { RUNTIME_VERSION_BYTES } from './runtime-version.ts';

type Args = Readonly<Record<string, ScaleValue>>;
type Answer = (state: StateView, args: Args) => ScaleValue;

export interface CallFailure extends Failure {
  readonly code: 'no-such-method' | 'bad-arguments';
}

const num = (args: Args, name: string): number => args[name] as number;

export class RuntimeCalls {
  readonly #constants: ReadonlyMap<string, Uint8Array>;
  readonly #metadata = new Map<MetadataVersion, Uint8Array>();

  /** @param constants values of the constants that are the chain's own */
  constructor(constants: ReadonlyMap<string, Uint8Array>) {
    this.#constants = constants;
  }

  metadata(version: MetadataVersion): Uint8Array {
    const known = this.#metadata.get(version);
    if (known) return known;
    const built = buildMetadata(version, this.#constants);
    this.#metadata.set(version, built);
    return built;
  }

  /** @param name `Api_method`, as `state_call` has it */
  call(state: StateView, name: string, bytes: Uint8Array): Result<Uint8Array, CallFailure> {
    const split = name.indexOf('_');
    const api = RUNTIME.apis.find((candidate) => candidate.name === name.slice(0, split));
    const method = api?.methods.find((candidate) => candidate.name === name.slice(split + 1));
    if (!method) {
      return fail({ code: 'no-such-method', fault: 'caller', message: `Exported method ${name} is not found` });
    }
    if (name === 'Core_version') return succeed(RUNTIME_VERSION_BYTES);
    // The extrinsic in these is encoded as it travels: a length, then its bytes.
    if (name.startsWith('TransactionPaymentApi_')) return this.#fees(name, bytes);
    const args = decodeFields(method.inputs, bytes);
    if (!args) return fail({ code: 'bad-arguments', fault: 'caller', message: `${name}: cannot decode the arguments` });
    const answer = ANSWERS[name] ?? this.#own[name];
    if (!answer) return fail({ code: 'no-such-method', fault: 'caller', message: `${name} is not answered` });
    return succeed(encode(method.output, answer(state, args.value as Args)));
  }

  readonly #own: Readonly<Record<string, Answer>> = {
    Metadata_metadata: () => this.metadata(METADATA_VERSIONS[0]),
    Metadata_metadata_versions: () => [...METADATA_VERSIONS],
    Metadata_metadata_at_version: (_, args) => {
      const version = METADATA_VERSIONS.find((known) => known === args.version);
      return version && this.metadata(version);
    },
  };

  /** What a signed extrinsic (with its length) would pay, without its tip; undefined when it is none. */
  fee(bytes: Uint8Array): bigint | undefined {
    const parsed = parseExtrinsic(bytes);
    return parsed.ok ? totalFee(feeOf(parsed.value.call, parsed.value.bytes.length), 0n) : undefined;
  }

  #fees(name: string, bytes: Uint8Array): Result<Uint8Array, CallFailure> {
    const bad = { code: 'bad-arguments', fault: 'caller', message: `${name}: cannot decode the extrinsic` } as const;
    const read = whole(bytes, (reader) => {
      const length = reader.length();
      return { body: reader.take(length), declared: reader.integer(4, false) };
    });
    if (!read) return fail(bad);
    const { body } = read.value;
    const parsed = parseExtrinsic(concatBytes(encodeLength(body.length), body));
    if (!parsed.ok) return fail(bad);
    const { call, tip } = parsed.value;
    const fee = feeOf(call, parsed.value.bytes.length);
    if (name === 'TransactionPaymentApi_query_info') {
      return succeed(
        encode(RUNTIME.types.get('RuntimeDispatchInfo'), {
          weight: DISPATCH_WEIGHT,
          class: { type: 'Normal' },
          partial_fee: totalFee(fee, 0n),
        }),
      );
    }
    const inclusion = fee.base > 0n ? { base_fee: fee.base, len_fee: fee.length, adjusted_weight_fee: 0n } : undefined;
    return succeed(encode(RUNTIME.types.get('FeeDetails'), { inclusion_fee: inclusion, tip }));
  }
}

const ANSWERS: Readonly<Record<string, Answer>> = {
  AccountNonceApi_account_nonce: (state, args) => System.account.get(state, args.account as Uint8Array).nonce,
  NeuronInfoRuntimeApi_get_neurons: (state, args) => neuronInfos(state, num(args, 'netuid')),
  NeuronInfoRuntimeApi_get_neurons_lite: (state, args) => neuronInfos(state, num(args, 'netuid')),
  NeuronInfoRuntimeApi_get_neuron: (state, args) => neuronInfo(state, num(args, 'netuid'), num(args, 'uid')),
  NeuronInfoRuntimeApi_get_neuron_lite: (state, args) => neuronInfo(state, num(args, 'netuid'), num(args, 'uid')),
  SubnetInfoRuntimeApi_get_metagraph: (state, args) => metagraph(state, num(args, 'netuid')),
  SubnetInfoRuntimeApi_get_mechagraph: (state, args) => metagraph(state, num(args, 'netuid'), num(args, 'mecid')),
  SubnetInfoRuntimeApi_get_selective_metagraph: (state, args) =>
    selectiveMetagraph(state, num(args, 'netuid'), args.metagraph_indexes as readonly number[]),
  SubnetInfoRuntimeApi_get_selective_mechagraph: (state, args) =>
    selectiveMetagraph(state, num(args, 'netuid'), args.metagraph_indexes as readonly number[], num(args, 'subid')),
  SubnetInfoRuntimeApi_get_next_epoch_start_block: (state, args) => nextEpochBlock(state, num(args, 'netuid')),
  SubnetInfoRuntimeApi_get_subnet_hyperparams: (state, args) => metagraph(state, num(args, 'netuid')),
};
