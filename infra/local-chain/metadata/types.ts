/**
 * Named types of the runtime as the real chain has them (node-subtensor, spec 424): path, fields, variants. Text of
 * `scale/type-table.ts`. Types whose variants are counted out (mortal eras, raw commitment data) are generated.
 */
import { TRANSACTION_EXTENSIONS } from './extrinsic.ts';
import { RPC_TYPES } from './rpc-types.ts';

const counted = (from: number, to: number, variant: (i: number) => string): string =>
  Array.from({ length: to - from + 1 }, (_, i) => variant(from + i)).join(' ');

const EXTENSIONS = TRANSACTION_EXTENSIONS.map(([, type]) => type).join(', ');
const EXTRINSIC_PARAMS = `Address: MultiAddress, Call: RuntimeCall, Signature: MultiSignature, Extra: (${EXTENSIONS})`;

const RUNTIME_TYPES = {
  ExtraFlags: 'pallet_balances::types::ExtraFlags(u128)',
  AccountData: 'pallet_balances::types::AccountData { free: u64, reserved: u64, frozen: u64, flags: ExtraFlags }',
  AccountInfo: `
    frame_system::AccountInfo { nonce: u32, consumers: u32, providers: u32, sufficients: u32, data: AccountData }
  `,
  AccountId32: 'sp_core::crypto::AccountId32([u8; 32])',
  H256: 'primitive_types::H256([u8; 32])',
  Phase: 'frame_system::Phase | ApplyExtrinsic(u32) | Finalization | Initialization',
  EventRecord: `
    frame_system::EventRecord<E: RuntimeEvent, T: H256> { phase: Phase, event: RuntimeEvent, topics: Vec<H256> }
  `,
  LastRuntimeUpgradeInfo: 'frame_system::LastRuntimeUpgradeInfo { spec_version: Compact<u32>, spec_name: Cow<str> }',
  Weight: 'sp_weights::weight_v2::Weight { ref_time: Compact<u64>, proof_size: Compact<u64> }',
  DispatchClass: 'frame_support::dispatch::DispatchClass | Normal | Operational | Mandatory',
  Pays: 'frame_support::dispatch::Pays | Yes | No',
  DispatchEventInfo: 'frame_system::DispatchEventInfo { weight: Weight, class: DispatchClass, pays_fee: Pays }',
  ModuleError: 'sp_runtime::ModuleError { index: u8, error: [u8; 4] }',
  TokenError: `
    sp_runtime::TokenError | FundsUnavailable | OnlyProvider | BelowMinimum | CannotCreate | UnknownAsset | Frozen |
    Unsupported | CannotCreateHold | NotExpendable | Blocked
  `,
  ArithmeticError: 'sp_arithmetic::ArithmeticError | Underflow | Overflow | DivisionByZero',
  TransactionalError: 'sp_runtime::TransactionalError | LimitReached | NoLayer',
  TrieError: `
    sp_runtime::proving_trie::TrieError | InvalidStateRoot | IncompleteDatabase | ValueAtIncompleteKey |
    DecoderError | InvalidHash | DuplicateKey | ExtraneousNode | ExtraneousValue | ExtraneousHashReference |
    InvalidChildReference | ValueMismatch | IncompleteProof | RootMismatch | DecodeError
  `,
  DispatchError: `
    sp_runtime::DispatchError | Other | CannotLookup | BadOrigin | Module(ModuleError) | ConsumerRemaining |
    NoProviders | TooManyConsumers | Token(TokenError) | Arithmetic(ArithmeticError) |
    Transactional(TransactionalError) | Exhausted | Corruption | Unavailable | RootNotAllowed | Trie(TrieError)
  `,
  PerDispatchClass: 'frame_support::dispatch::PerDispatchClass { normal: u32, operational: u32, mandatory: u32 }',
  BlockLength: 'frame_system::limits::BlockLength { max: PerDispatchClass }',
  RuntimeVersion: `
    sp_version::RuntimeVersion { spec_name: Cow<str>, impl_name: Cow<str>, authoring_version: u32, spec_version:
    u32, impl_version: u32, apis: Cow<Vec<([u8; 8], u32)>>, transaction_version: u32, system_version: u8 }
  `,
  MultiAddress: `
    sp_runtime::multiaddress::MultiAddress<AccountId: AccountId32, AccountIndex: ()> | Id(AccountId32) | Index(Compact<()>) | Raw(Vec<u8>) | Address32([u8;
    32]) | Address20([u8; 20])
  `,
  FixedU128: 'sp_arithmetic::fixed_point::FixedU128(u128)',
  FixedI128: 'substrate_fixed::FixedI128 { bits: i128 }',
  AxonInfo: `
    pallet_subtensor::pallet::AxonInfo { block: u64, version: u32, ip: u128, port: u16, ip_type: u8, protocol: u8,
    placeholder1: u8, placeholder2: u8 }
  `,
  NeuronCertificate: 'pallet_subtensor::pallet::NeuronCertificate { public_key: BoundedVec<u8>, algorithm: u8 }',
  PrometheusInfo: `
    pallet_subtensor::pallet::PrometheusInfo { block: u64, version: u32, ip: u128, port: u16, ip_type: u8 }
  `,
  ChainIdentityV2: `
    pallet_subtensor::pallet::ChainIdentityV2 { name: Vec<u8>, url: Vec<u8>, github_repo: Vec<u8>, image: Vec<u8>,
    discord: Vec<u8>, description: Vec<u8>, additional: Vec<u8> }
  `,
  SubnetIdentityV3: `
    pallet_subtensor::pallet::SubnetIdentityV3 { subnet_name: Vec<u8>, github_repo: Vec<u8>, subnet_contact:
    Vec<u8>, subnet_url: Vec<u8>, discord: Vec<u8>, description: Vec<u8>, logo_url: Vec<u8>, additional: Vec<u8> }
  `,
  FixedU128Bits: 'substrate_fixed::FixedU128 { bits: u128 }',
  CommitmentInfo: 'pallet_commitments::types::CommitmentInfo { fields: BoundedVec<Data> }',
  Registration: 'pallet_commitments::types::Registration { deposit: u64, block: u32, info: CommitmentInfo }',
  OpaqueMetadata: 'sp_core::OpaqueMetadata(Vec<u8>)',
  UncheckedExtrinsic: `sp_runtime::generic::unchecked_extrinsic::UncheckedExtrinsic<${EXTRINSIC_PARAMS}>(Vec<u8>)`,
  SelfContainedExtrinsic: `
    fp_self_contained::unchecked_extrinsic::UncheckedExtrinsic<${EXTRINSIC_PARAMS}>(UncheckedExtrinsic)
  `,
  RuntimeDispatchInfo: `
    pallet_transaction_payment::types::RuntimeDispatchInfo { weight: Weight, class: DispatchClass, partial_fee: u64
    }
  `,
  InclusionFee: `
    pallet_transaction_payment::types::InclusionFee { base_fee: u64, len_fee: u64, adjusted_weight_fee: u64 }
  `,
  FeeDetails: 'pallet_transaction_payment::types::FeeDetails { inclusion_fee: Option<InclusionFee>, tip: u64 }',
  CheckNonZeroSender: 'frame_system::extensions::check_non_zero_sender::CheckNonZeroSender {}',
  CheckSpecVersion: 'frame_system::extensions::check_spec_version::CheckSpecVersion {}',
  CheckTxVersion: 'frame_system::extensions::check_tx_version::CheckTxVersion {}',
  CheckGenesis: 'frame_system::extensions::check_genesis::CheckGenesis {}',
  CheckMortality: 'node_subtensor_runtime::check_mortality::CheckMortality(Era)',
  CheckNonce: 'node_subtensor_runtime::check_nonce::CheckNonce(Compact<u32>)',
  CheckWeight: 'frame_system::extensions::check_weight::CheckWeight {}',
  ChargeTransactionPayment: 'pallet_transaction_payment::ChargeTransactionPayment(Compact<u64>)',
  SudoTransactionExtension: 'node_subtensor_runtime::sudo_wrapper::SudoTransactionExtension {}',
  CheckShieldedTxValidity: 'pallet_shield::extension::CheckShieldedTxValidity {}',
  SubtensorTransactionExtension: 'pallet_subtensor::extensions::subtensor::SubtensorTransactionExtension {}',
  DrandPriority: 'pallet_drand::drand_priority::DrandPriority {}',
  Mode: 'frame_metadata_hash_extension::Mode | Disabled | Enabled',
  CheckMetadataHash: 'frame_metadata_hash_extension::CheckMetadataHash { mode: Mode }',
  MultiSignature: 'sp_runtime::MultiSignature | Ed25519([u8; 64]) | Sr25519([u8; 64]) | Ecdsa([u8; 65])',
  Era: `sp_runtime::generic::era::Era | Immortal ${counted(1, 255, (i) => `| Mortal${i}(u8)`)}`,
  Data: `
    pallet_commitments::types::Data | None ${counted(0, 128, (i) => `| Raw${i}([u8; ${i}])`)}
    | BlakeTwo256([u8; 32]) | Sha256([u8; 32]) | Keccak256([u8; 32]) | ShaThree256([u8; 32])
    | TimelockEncrypted { encrypted: BoundedVec<u8>, reveal_round: u64 } | ResetBondsFlag | BigRaw(BoundedVec<u8>)
  `,
};

/** Everything but the outer enums of calls, events and errors, which follow from the pallets. */
export const TYPE_DEFINITIONS: Readonly<Record<string, string>> = { ...RUNTIME_TYPES, ...RPC_TYPES };
