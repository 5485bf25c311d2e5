/**
 * The pallets around the subnet: accounts, balances, fees, time, commitments. Only what the local chain answers or what
 * clients ask for, but each line as the real chain has it (node-subtensor, spec 424); `chain:check` holds it to that.
 * Constants marked `local` follow from this chain's own settings.
 */
import type { PalletDeclaration } from './declaration.ts';

export const SYSTEM: PalletDeclaration = {
  name: 'System',
  index: 0,
  storage: `
    Account B:AccountId32 -> AccountInfo = 0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000080
    ExtrinsicCount? -> u32
    BlockHash T:u32 -> H256
    Number -> u32
    ParentHash -> H256
    Events -> Vec<EventRecord>
    EventCount -> u32
    LastRuntimeUpgrade? -> LastRuntimeUpgradeInfo
  `,
  calls: {
    path: 'frame_system::pallet::Call',
    list: `
    0 remark { remark: Vec<u8> }
    7 remark_with_event { remark: Vec<u8> }
  `,
  },
  events: {
    path: 'frame_system::pallet::Event',
    list: `
    0 ExtrinsicSuccess { dispatch_info: DispatchEventInfo }
    1 ExtrinsicFailed { dispatch_error: DispatchError, dispatch_info: DispatchEventInfo }
    3 NewAccount { account: AccountId32 }
    5 Remarked { sender: AccountId32, hash: H256 }
  `,
  },
  errors: {
    path: 'frame_system::pallet::Error',
    list: `
      InvalidSpecName SpecVersionNeedsToIncrease FailedToExtractRuntimeVersion NonDefaultComposite NonZeroRefCount
      CallFiltered MultiBlockMigrationsOngoing NothingAuthorized Unauthorized
    `,
  },
  constants: `
    BlockLength: BlockLength = 000078000000a0000000a000
    BlockHashCount: u32 = 60090000
    Version: RuntimeVersion = local
    SS58Prefix: u16 = 2a00
  `,
};

export const TIMESTAMP: PalletDeclaration = {
  name: 'Timestamp',
  index: 2,
  storage: `
    Now -> u64
  `,
  calls: {
    path: 'pallet_timestamp::pallet::Call',
    list: `
    0 set { now: Compact<u64> }
  `,
  },
  constants: `
    MinimumPeriod: u64 = local
  `,
};

export const AURA: PalletDeclaration = {
  name: 'Aura',
  index: 3,
  constants: `
    SlotDuration: u64 = local
  `,
};

export const BALANCES: PalletDeclaration = {
  name: 'Balances',
  index: 5,
  storage: `
    TotalIssuance -> u64
  `,
  calls: {
    path: 'pallet_balances::pallet::Call',
    list: `
    0 transfer_allow_death { dest: MultiAddress, value: Compact<u64> }
    3 transfer_keep_alive { dest: MultiAddress, value: Compact<u64> }
    4 transfer_all { dest: MultiAddress, keep_alive: bool }
  `,
  },
  events: {
    path: 'pallet_balances::pallet::Event',
    list: `
    0 Endowed { account: AccountId32, free_balance: u64 }
    2 Transfer { from: AccountId32, to: AccountId32, amount: u64 }
    7 Deposit { who: AccountId32, amount: u64 }
    8 Withdraw { who: AccountId32, amount: u64 }
    11 Burned { who: AccountId32, amount: u64 }
  `,
  },
  errors: {
    path: 'pallet_balances::pallet::Error',
    list: `
      VestingBalance LiquidityRestrictions InsufficientBalance ExistentialDeposit Expendability
      ExistingVestingSchedule DeadAccount TooManyReserves TooManyHolds TooManyFreezes IssuanceDeactivated DeltaZero
    `,
  },
  constants: `
    ExistentialDeposit: u64 = f401000000000000
  `,
};

export const TRANSACTION_PAYMENT: PalletDeclaration = {
  name: 'TransactionPayment',
  index: 6,
  storage: `
    NextFeeMultiplier -> FixedU128 = 000064a7b3b6e00d0000000000000000
  `,
  events: {
    path: 'pallet_transaction_payment::pallet::Event',
    list: `
    0 TransactionFeePaid { who: AccountId32, actual_fee: u64, tip: u64 }
  `,
  },
  constants: `
    OperationalFeeMultiplier: u8 = 05
  `,
};

export const COMMITMENTS: PalletDeclaration = {
  name: 'Commitments',
  index: 18,
  storage: `
    CommitmentOf? I:u16 T:AccountId32 -> Registration
    RevealedCommitments? I:u16 T:AccountId32 -> Vec<(Vec<u8>, u64)>
  `,
  errors: {
    path: 'pallet_commitments::pallet::Error',
    list: `
      TooManyFieldsInCommitmentInfo AccountNotAllowedCommit SpaceLimitExceeded UnexpectedUnreserveLeftover
    `,
  },
};
