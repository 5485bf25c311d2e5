/**
 * The pallet of subnets, neurons and weights as the real chain declares it (node-subtensor, spec 424), without what the
 * local chain neither keeps nor executes. `I`, `B`, `T` before a key are its hasher: Identity, Blake2_128Concat,
 * Twox64Concat. Errors are all there, because their position is their index.
 */
import type { PalletDeclaration } from './declaration.ts';

export const SUBTENSOR_MODULE: PalletDeclaration = {
  name: 'SubtensorModule',
  index: 7,
  storage: `
    Owner B:AccountId32 -> AccountId32
    AlphaDividendsPerSubnet I:u16 B:AccountId32 -> u64
    BlockEmission -> u64 = 00ca9a3b00000000
    TotalIssuance -> u64
    TotalStake -> u64
    SubnetMovingPrice I:u16 -> FixedI128
    SubnetVolume I:u16 -> u128
    SubnetTAO I:u16 -> u64
    SubnetAlphaIn I:u16 -> u64
    SubnetAlphaOut I:u16 -> u64
    OwnedHotkeys B:AccountId32 -> Vec<AccountId32>
    TotalHotkeyAlpha B:AccountId32 I:u16 -> u64
    TokenSymbol I:u16 -> Vec<u8> = 10f09d9c8f
    MaxRegistrationsPerBlock I:u16 -> u16 = 0100
    TotalNetworks -> u16
    Tempo I:u16 -> u16 = 6801
    LastEpochBlock I:u16 -> u64
    PendingEpochAt I:u16 -> u64
    SubnetEpochIndex I:u16 -> u64
    ActivityCutoffFactorMilli I:u16 -> u32 = 41360000
    SubnetMechanism I:u16 -> u16
    SubnetworkN I:u16 -> u16
    NetworksAdded I:u16 -> bool
    IsNetworkMember B:AccountId32 I:u16 -> bool
    NetworkRegistrationAllowed I:u16 -> bool = 01
    NetworkPowRegistrationAllowed I:u16 -> bool = 01
    NetworkRegisteredAt I:u16 -> u64
    BlocksSinceLastStep I:u16 -> u64
    LastMechansimStepBlock I:u16 -> u64
    SubnetOwner I:u16 -> AccountId32
    SubnetOwnerHotkey I:u16 -> AccountId32
    ServingRateLimit I:u16 -> u64 = 3200000000000000
    Rho I:u16 -> u16 = 0a00
    Kappa I:u16 -> u16 = ff7f
    MaxAllowedUids I:u16 -> u16 = 0001
    ImmunityPeriod I:u16 -> u16 = 0010
    MaxWeightsLimit I:u16 -> u16 = ffff
    WeightsVersionKey I:u16 -> u64
    MinAllowedWeights I:u16 -> u16 = 0004
    MaxAllowedValidators I:u16 -> u16 = 8000
    AdjustmentInterval I:u16 -> u16 = 6400
    BondsMovingAverage I:u16 -> u64 = a0bb0d0000000000
    WeightsSetRateLimit I:u16 -> u64 = 6400000000000000
    TargetRegistrationsPerInterval I:u16 -> u16 = 0200
    AdjustmentAlpha I:u16 -> u64
    CommitRevealWeightsEnabled I:u16 -> bool = 01
    Burn I:u16 -> u64 = 00e1f50500000000
    Difficulty I:u16 -> u64 = 8096980000000000
    MinBurn I:u16 -> u64 = 20a1070000000000
    MaxBurn I:u16 -> u64 = 00e8764817000000
    MinDifficulty I:u16 -> u64 = 8096980000000000
    MaxDifficulty I:u16 -> u64 = ffffffffffffff3f
    RegistrationsThisBlock I:u16 -> u16
    RAORecycledForRegistration I:u16 -> u64
    LiquidAlphaOn B:u16 -> bool
    AlphaValues I:u16 -> (u16, u16) = 33b366e6
    ImmuneOwnerUidsLimit I:u16 -> u16 = 0100
    Uids? I:u16 B:AccountId32 -> u16
    Keys I:u16 I:u16 -> AccountId32
    Active I:u16 -> Vec<bool>
    Consensus I:u16 -> Vec<u16>
    Incentive I:u16 -> Vec<u16>
    Dividends I:u16 -> Vec<u16>
    Emission I:u16 -> Vec<u64>
    LastUpdate I:u16 -> Vec<u64>
    ValidatorTrust I:u16 -> Vec<u16>
    ValidatorPermit I:u16 -> Vec<bool>
    Weights I:u16 I:u16 -> Vec<(u16, u16)>
    Bonds I:u16 I:u16 -> Vec<(u16, u16)>
    BlockAtRegistration I:u16 I:u16 -> u64
    Axons? I:u16 B:AccountId32 -> AxonInfo
    NeuronCertificates? I:u16 B:AccountId32 -> NeuronCertificate
    Prometheus? I:u16 B:AccountId32 -> PrometheusInfo
    IdentitiesV2? B:AccountId32 -> ChainIdentityV2
    SubnetIdentitiesV3? B:u16 -> SubnetIdentityV3
    StakeThreshold -> u64
    WeightCommits? T:u16 T:AccountId32 -> Vec<(H256, u64, u64, u64)>
    TimelockedWeightCommits T:u16 T:u64 -> Vec<(AccountId32, u64, BoundedVec<u8>, u64)>
    RevealPeriodEpochs T:u16 -> u64 = 0100000000000000
    CommitRevealWeightsVersion -> u16 = 0400
    MinNonImmuneUids I:u16 -> u16 = 0a00
    MechanismCountCurrent T:u16 -> u8 = 01
    BurnHalfLife I:u16 -> u16 = 6801
    BurnIncreaseMult I:u16 -> FixedU128Bits = 0090c2f5285c8f420100000000000000
  `,
  calls: {
    path: 'pallet_subtensor::pallet::Call',
    list: `
    0 set_weights { netuid: u16, dests: Vec<u16>, weights: Vec<u16>, version_key: u64 }
    119 set_mechanism_weights { netuid: u16, mecid: u8, dests: Vec<u16>, weights: Vec<u16>, version_key: u64 }
    96 commit_weights { netuid: u16, commit_hash: H256 }
    115 commit_mechanism_weights { netuid: u16, mecid: u8, commit_hash: H256 }
    97 reveal_weights { netuid: u16, uids: Vec<u16>, values: Vec<u16>, salt: Vec<u16>, version_key: u64 }
    116 reveal_mechanism_weights { netuid: u16, mecid: u8, uids: Vec<u16>, values: Vec<u16>, salt: Vec<u16>, version_key: u64 }
    4 serve_axon { netuid: u16, version: u32, ip: u128, port: u16, ip_type: u8, protocol: u8, placeholder1: u8, placeholder2: u8 }
    40 serve_axon_tls { netuid: u16, version: u32, ip: u128, port: u16, ip_type: u8, protocol: u8, placeholder1: u8, placeholder2: u8, certificate: Vec<u8> }
    7 burned_register { netuid: u16, hotkey: AccountId32 }
    113 commit_timelocked_weights { netuid: u16, commit: BoundedVec<u8>, reveal_round: u64, commit_reveal_version: u16 }
    134 register_limit { netuid: u16, hotkey: AccountId32, limit_price: u64 }
  `,
  },
  events: {
    path: 'pallet_subtensor::pallet::Event',
    list: `
    0 NetworkAdded(u16, u16)
    5 WeightsSet(u16, u16)
    6 NeuronRegistered(u16, u16, AccountId32)
    28 AxonServed(u16, AccountId32)
    85 WeightsCommitted(AccountId32, u16, H256)
    86 WeightsRevealed(AccountId32, u16, H256)
    107 TimelockedWeightsCommitted(AccountId32, u16, H256, u64)
    110 IncentiveAlphaEmittedToMiners { netuid: u16, emissions: Vec<u64> }
  `,
  },
  errors: {
    path: 'pallet_subtensor::pallet::Error',
    list: `
      RootNetworkDoesNotExist InvalidIpType InvalidIpAddress InvalidPort HotKeyNotRegisteredInSubNet
      HotKeyAccountNotExists HotKeyNotRegisteredInNetwork NonAssociatedColdKey NotEnoughStake
      NotEnoughStakeToWithdraw NotEnoughStakeToSetWeights NotEnoughStakeToSetChildkeys NotEnoughBalanceToStake
      BalanceWithdrawalError ZeroBalanceAfterWithdrawn NeuronNoValidatorPermit WeightVecNotEqualSize DuplicateUids
      UidVecContainInvalidOne WeightVecLengthIsLow TooManyRegistrationsThisBlock HotKeyAlreadyRegisteredInSubNet
      NewHotKeyIsSameWithOld NewHotKeyNotCleanForRootSwap InvalidWorkBlock InvalidDifficulty InvalidSeal
      MaxWeightExceeded HotKeyAlreadyDelegate SettingWeightsTooFast IncorrectWeightVersionKey
      ServingRateLimitExceeded UidsLengthExceedUidsInSubNet NetworkTxRateLimitExceeded DelegateTxRateLimitExceeded
      HotKeySetTxRateLimitExceeded StakingRateLimitExceeded SubNetRegistrationDisabled
      TooManyRegistrationsThisInterval TransactorAccountShouldBeHotKey FaucetDisabled NotSubnetOwner
      RegistrationNotPermittedOnRootSubnet StakeTooLowForRoot AllNetworksInImmunity NotEnoughBalanceToPaySwapHotKey
      NotRootSubnet CanNotSetRootNetworkWeights NoNeuronIdAvailable DelegateTakeTooLow DelegateTakeTooHigh
      NoWeightsCommitFound InvalidRevealCommitHashNotMatch CommitRevealEnabled CommitRevealDisabled
      LiquidAlphaDisabled AlphaHighTooLow AlphaLowOutOfRange ColdKeyAlreadyAssociated
      NotEnoughBalanceToPaySwapColdKey InvalidChild DuplicateChild ProportionOverflow TooManyChildren
      TxRateLimitExceeded ColdkeySwapAnnouncementNotFound ColdkeySwapTooEarly ColdkeySwapReannouncedTooEarly
      AnnouncedColdkeyHashDoesNotMatch ColdkeySwapAlreadyDisputed NewColdKeyIsHotkey InvalidChildkeyTake
      TxChildkeyTakeRateLimitExceeded InvalidIdentity MechanismDoesNotExist StakeUnavailable SubnetNotExists
      TooManyUnrevealedCommits ExpiredWeightCommit RevealTooEarly InputLengthsUnequal CommittingWeightsTooFast
      AmountTooLow InsufficientLiquidity SlippageTooHigh TransferDisallowed ActivityCutoffTooLow CallDisabled
      FirstEmissionBlockNumberAlreadySet NeedWaitingMoreBlocksToStarCall NotEnoughAlphaOutToRecycle
      CannotBurnOrRecycleOnRootSubnet UnableToRecoverPublicKey InvalidRecoveredPublicKey SubtokenDisabled
      HotKeySwapOnSubnetIntervalNotPassed SameNetuid InsufficientBalance InvalidLeaseBeneficiary
      LeaseCannotEndInThePast LeaseNetuidNotFound LeaseDoesNotExist LeaseHasNoEndBlock LeaseHasNotEnded Overflow
      BeneficiaryDoesNotOwnHotkey ExpectedBeneficiaryOrigin AdminActionProhibitedDuringWeightsWindow
      SymbolDoesNotExist SymbolAlreadyInUse IncorrectCommitRevealVersion InvalidRevealRound RevealPeriodTooLarge
      RevealPeriodTooSmall InvalidValue SubnetLimitReached CannotAffordLockCost EvmKeyAssociateRateLimitExceeded
      SameAutoStakeHotkeyAlreadySet UidMapCouldNotBeCleared TrimmingWouldExceedMaxImmunePercentage
      ChildParentInconsistency InvalidNumRootClaim InvalidRootClaimThreshold InvalidSubnetNumber
      TooManyUIDsPerMechanism VotingPowerTrackingNotEnabled InvalidVotingPowerEmaAlpha Deprecated
      AddStakeBurnRateLimitExceeded ColdkeySwapAnnounced ColdkeySwapDisputed ColdkeySwapClearTooEarly
      DisabledTemporarily RegistrationPriceLimitExceeded LockHotkeyMismatch InsufficientStakeForLock NoExistingLock
      ActiveLockExists CannotUseSystemAccount UnlockAmountTooHigh TempoOutOfBounds
      ActivityCutoffFactorMilliOutOfBounds EpochTriggerAlreadyPending AutoEpochAlreadyImminent
      DynamicTempoBlockedByCommitReveal AccountRejectsLockedAlpha
    `,
  },
};
