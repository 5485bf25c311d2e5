/** Commands for those who run or watch the network. */
import type { CommandSpec } from '../command-spec.ts';
import { CHAIN_OPTIONS, EDGE_OPTIONS, WALLET_OPTIONS, YES_OPTION } from './shared-options.ts';

const GROUP = 'The network:';

export const NETWORK_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'network',
    group: GROUP,
    about: 'Show the network: miners, tiers, capacity',
    options: [{ flags: '--miners', about: 'a table of all miners' }, ...EDGE_OPTIONS],
    examples: [
      { command: 'filetao network', about: 'how it stands' },
      { command: 'filetao network --miners', about: 'every miner' },
    ],
    load: async () => (await import('../commands/network.ts')).showNetwork,
  },
  {
    name: 'miner',
    alias: 'm',
    group: GROUP,
    about: 'For operators of miners',
    commands: [
      {
        name: 'stats',
        about: 'Statistics of miners: successes and attempts, rates, tier, storage limit',
        args: [{ usage: '[hotkey]', about: 'one miner (default: all; with a wallet: its hotkey)' }],
        options: [
          ...WALLET_OPTIONS,
          { flags: '--index <number>', about: 'is not needed any more', hidden: true },
          ...EDGE_OPTIONS,
        ],
        examples: [
          { command: 'filetao miner stats', about: 'all miners' },
          { command: 'filetao miner stats --wallet.name mine --wallet.hotkey m1', about: 'your own' },
        ],
        load: async () => (await import('../commands/miner-stats.ts')).minerStats,
      },
      {
        name: 'explain',
        about: 'Tell why a miner has the score, tier and reward that it has',
        args: [{ usage: '<hotkey>', about: 'the miner' }],
        options: [{ flags: '--limit <count>', about: 'at most so many events (default: 20)' }, ...EDGE_OPTIONS],
        examples: [{ command: 'filetao miner explain 5F…', about: 'every change, its reason and its evidence' }],
        load: async () => (await import('../commands/miner-explain.ts')).explainMiner,
      },
      {
        name: 'leave',
        about: 'Announce that a miner is leaving: it is drained and not punished',
        args: [{ usage: '[folder]', about: 'the miner’s data folder (FILETAO_MINER_DATA_DIR)' }],
        options: [{ flags: '--undo', about: 'stay after all' }, YES_OPTION],
        examples: [{ command: 'filetao miner leave /data', about: 'keep it running until it holds nothing' }],
        load: async () => (await import('../commands/miner-leave.ts')).leaveNetwork,
      },
    ],
  },
  {
    name: 'edge',
    group: GROUP,
    about: 'For operators of edges and validators',
    commands: [
      {
        name: 'grant',
        about: 'Let an edge store and read for this validator',
        details:
          'With the data folder of a validator on this machine: onto its list, and the running validator grants and\nrenews. Without: a grant signed with the validator’s hotkey, written to the index of FILETAO_INDEX_URL and\nFILETAO_INDEX_TOKEN_FILE, which holds as long as you say.',
        args: [{ usage: '<hotkey>', about: 'of the edge' }],
        options: [
          { flags: '--data-dir <folder>', about: 'of the validator (FILETAO_VALIDATOR_DATA_DIR)' },
          { flags: '--for <duration>', about: 'how long a signed grant holds, at most a day (default: 12h)' },
          { flags: '--print', about: 'print the signed grant instead of writing it to the index' },
          { flags: '--key-file <file>', about: 'of the validator’s hotkey, instead of a wallet' },
          { flags: '--password-file <file>', about: 'the hotkey’s password is the first line of this file' },
          ...WALLET_OPTIONS,
          ...CHAIN_OPTIONS,
        ],
        examples: [
          { command: 'filetao edge grant 5D… --data-dir /data', about: 'renewed by the validator' },
          {
            command: 'filetao edge grant 5D… --wallet.name validator --netuid 22 --network test',
            about: 'for 12 hours',
          },
        ],
        load: async () => (await import('../commands/edge-grant.ts')).grantEdge,
      },
      {
        name: 'revoke',
        about: 'Take an edge off a validator’s list',
        args: [{ usage: '<hotkey>', about: 'of the edge' }],
        options: [{ flags: '--data-dir <folder>', about: 'of the validator (FILETAO_VALIDATOR_DATA_DIR)' }],
        examples: [
          { command: 'filetao edge revoke 5D… --data-dir /data', about: 'its last grant runs out within a day' },
        ],
        load: async () => (await import('../commands/edge-grant.ts')).revokeEdge,
      },
    ],
  },
  {
    name: 'audit',
    group: GROUP,
    about: 'Check the validator: every round, seed, selection and verdict',
    commands: [
      {
        name: 'export',
        about: 'Write the ledger of a validator into one file',
        args: [{ usage: '<file>', about: 'to write' }],
        options: [
          { flags: '--data-dir <folder>', about: 'the validator’s data folder (FILETAO_VALIDATOR_DATA_DIR)' },
          { flags: '--from <round>', about: 'only this round and later ones' },
          { flags: '--miner <hotkey>', about: 'only this one; several times for several', many: true },
          { flags: '--no-answers', about: 'leave the answers out: smaller, and verdicts rest on the validator’s word' },
          { flags: '-f, --force', about: 'replace what is there' },
        ],
        examples: [{ command: 'filetao audit export rounds.ftaudit --data-dir /data', about: '' }],
        load: async () => (await import('../commands/audit.ts')).exportAudit,
      },
      {
        name: 'verify',
        about: 'Derive everything in an exported file again, without asking anyone',
        args: [{ usage: '<file>', about: 'from audit export' }],
        options: [
          { flags: '--chain <ws-url>', about: 'check the block hashes with this node; else they are assumptions' },
        ],
        examples: [
          { command: 'filetao audit verify rounds.ftaudit', about: 'no network is used' },
          { command: 'filetao audit verify rounds.ftaudit --chain ws://127.0.0.1:9944', about: 'hashes, too' },
        ],
        load: async () => (await import('../commands/audit.ts')).verifyAudit,
      },
    ],
  },
  {
    name: 'run',
    alias: 'n',
    group: GROUP,
    about: 'Run a program of the network in this terminal',
    commands: [
      {
        name: 'miner',
        about: 'Run a miner; settings come from the environment (docs/run-a-miner.md)',
        examples: [{ command: 'FILETAO_MINER_DATA_DIR=/data filetao run miner', about: '' }],
        load: async () => (await import('../commands/run.ts')).runMiner,
      },
      {
        name: 'validator',
        about: 'Run a validator; FILETAO_VALIDATOR_CONFIG names its settings (docs/run-a-validator.md)',
        examples: [{ command: 'FILETAO_VALIDATOR_CONFIG=/etc/filetao.json filetao run validator', about: '' }],
        load: async () => (await import('../commands/run.ts')).runValidator,
      },
      {
        name: 'api',
        about: 'Run an edge with wrangler dev; settings come from .dev.vars (docs/run-an-edge.md)',
        options: [{ flags: '--port <number>', about: 'to listen on, on loopback (default: 8787)' }],
        examples: [{ command: 'filetao run api --port 8787', about: '' }],
        load: async () => (await import('../commands/run.ts')).runEdge,
      },
      {
        name: 'local',
        about: 'Run a whole network on this machine: the same as npm start',
        examples: [{ command: 'filetao run local', about: 'Ctrl-C stops all of it' }],
        load: async () => (await import('../commands/run.ts')).runLocal,
      },
    ],
  },
  {
    name: 'doctor',
    group: GROUP,
    about: 'Test what can be wrong here, really, and say how to mend it',
    options: [
      { flags: '--redis <url>', about: 'test this Redis, too: password, append-only, what survives a restart' },
      { flags: '--miner-dir <folder>', about: 'test this folder of a miner, too: mode, space, speed' },
      { flags: '--no-store', about: 'do not store and retrieve a small file' },
      ...WALLET_OPTIONS,
      ...EDGE_OPTIONS,
    ],
    examples: [
      { command: 'filetao doctor', about: 'settings, edge, clock, key, store and retrieve, wallets' },
      { command: 'filetao doctor --redis redis://:secret@127.0.0.1:6379', about: 'for operators' },
    ],
    load: async () => (await import('../commands/doctor.ts')).doctor,
  },
];
