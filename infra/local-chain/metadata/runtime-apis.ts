/**
 * Runtime APIs that the local chain answers, as the real chain declares them (node-subtensor, spec 424).
 */
import type { ApiDeclaration } from './declaration.ts';

export const RUNTIME_APIS: readonly ApiDeclaration[] = [
  {
    name: 'Core',
    version: 5,
    methods: `
      version() -> RuntimeVersion
    `,
  },
  {
    name: 'Metadata',
    version: 2,
    methods: `
      metadata() -> OpaqueMetadata
      metadata_at_version(version: u32) -> Option<OpaqueMetadata>
      metadata_versions() -> Vec<u32>
    `,
  },
  {
    name: 'AccountNonceApi',
    version: 1,
    methods: `
      account_nonce(account: AccountId32) -> u32
    `,
  },
  {
    name: 'TransactionPaymentApi',
    version: 4,
    methods: `
      query_info(uxt: SelfContainedExtrinsic, len: u32) -> RuntimeDispatchInfo
      query_fee_details(uxt: SelfContainedExtrinsic, len: u32) -> FeeDetails
    `,
  },
  {
    name: 'NeuronInfoRuntimeApi',
    version: 1,
    methods: `
      get_neurons(netuid: u16) -> Vec<NeuronInfo>
      get_neuron(netuid: u16, uid: u16) -> Option<NeuronInfo>
      get_neurons_lite(netuid: u16) -> Vec<NeuronInfoLite>
      get_neuron_lite(netuid: u16, uid: u16) -> Option<NeuronInfoLite>
    `,
  },
  {
    name: 'SubnetInfoRuntimeApi',
    version: 2,
    methods: `
      get_subnet_hyperparams(netuid: u16) -> Option<SubnetHyperparams>
      get_metagraph(netuid: u16) -> Option<Metagraph>
      get_mechagraph(netuid: u16, mecid: u8) -> Option<Metagraph>
      get_selective_metagraph(netuid: u16, metagraph_indexes: Vec<u16>) -> Option<SelectiveMetagraph>
      get_selective_mechagraph(netuid: u16, subid: u8, metagraph_indexes: Vec<u16>) -> Option<SelectiveMetagraph>
      get_next_epoch_start_block(netuid: u16) -> Option<u64>
    `,
  },
];
