/** All commands, and the spellings of the original beside them. */
import type { CommandSpec } from '../command-spec.ts';
import { ACCOUNT_COMMANDS } from './account-commands.ts';
import { FILE_COMMANDS, GET_OPTIONS, PUT_OPTIONS } from './file-commands.ts';
import { NETWORK_COMMANDS } from './network-commands.ts';
import { EDGE_OPTIONS, NAMES_OPTIONS, WALLET_OPTIONS } from './shared-options.ts';

const ORIGINAL = 'As FileTAO 3 spelled it:';

const ORIGINAL_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'store',
    alias: 's',
    group: ORIGINAL,
    about: 'store put --filepath FILE: the same as put',
    commands: [
      {
        name: 'put',
        about: 'Store a file: the same as filetao put',
        options: [{ flags: '--filepath <path>', about: 'the file to store' }, ...PUT_OPTIONS],
        examples: [{ command: 'filetao store put --filepath notes.txt', about: '' }],
        load: async () => (await import('../commands/put.ts')).put,
      },
    ],
  },
  {
    name: 'retrieve',
    alias: 'r',
    group: ORIGINAL,
    about: 'retrieve get --cid CID, retrieve list: the same as get and ls',
    commands: [
      {
        name: 'get',
        about: 'Get a file back: the same as filetao get',
        options: [
          { flags: '--cid <cid>', about: 'the file' },
          { flags: '--data_hash <cid>', about: 'the file' },
          ...GET_OPTIONS,
        ],
        examples: [{ command: 'filetao retrieve get --cid bafkrei… --storage_basepath ~/files', about: '' }],
        load: async () => (await import('../commands/get.ts')).get,
      },
      {
        name: 'list',
        about: 'List the names and CIDs that this machine knows',
        options: [...WALLET_OPTIONS, ...NAMES_OPTIONS, ...EDGE_OPTIONS],
        examples: [{ command: 'filetao retrieve list --wallet.name mine', about: '' }],
        load: async () => (await import('../commands/list-names.ts')).listNames,
      },
    ],
  },
];

const OTHER_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'completion',
    about: 'Print a script that completes commands in your shell',
    args: [{ usage: '<shell>', about: 'bash, zsh or fish' }],
    examples: [
      { command: 'source <(filetao completion bash)', about: 'in ~/.bashrc' },
      { command: 'filetao completion zsh > ~/.zfunc/_filetao', about: 'in a folder of your fpath' },
      { command: 'filetao completion fish > ~/.config/fish/completions/filetao.fish', about: '' },
    ],
    load: async () => (await import('../commands/completion.ts')).completionOf(rootCommand),
  },
  {
    name: 'exit-codes',
    about: 'Print what the exit codes mean',
    examples: [{ command: 'filetao exit-codes', about: '' }],
    load: async () => (await import('../commands/exit-codes.ts')).exitCodes,
  },
];

export const rootCommand: CommandSpec = {
  name: 'filetao',
  about: 'Storage that nobody has to trust: private by default, resumable, proven',
  examples: [
    { command: 'filetao put holiday.jpg', about: 'store a file; only you can read it' },
    { command: 'filetao get holiday.jpg', about: 'get it back' },
    { command: 'filetao ls', about: 'what you have' },
  ],
  commands: [...FILE_COMMANDS, ...ACCOUNT_COMMANDS, ...NETWORK_COMMANDS, ...ORIGINAL_COMMANDS, ...OTHER_COMMANDS],
};
