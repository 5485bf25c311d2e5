/** Commands on the account at an edge and on the keys of this machine. */
import type { CommandSpec } from '../command-spec.ts';
import { CHAIN_OPTIONS, EDGE_OPTIONS, WALLET_OPTIONS, YES_OPTION } from './shared-options.ts';

const GROUP = 'Keys and wallets:';

export const ACCOUNT_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'login',
    group: GROUP,
    about: 'Log in to an edge: checks the API key and keeps it',
    args: [{ usage: '[url]', about: 'the edge; without it, a local network that runs here' }],
    options: [{ flags: '--api-key-file <file>', about: 'the key is in this file; - is standard input' }],
    examples: [
      { command: 'filetao login https://storage.example', about: 'asks for the key' },
      { command: 'filetao login https://storage.example --api-key-file key.txt', about: 'for scripts' },
      { command: 'filetao login', about: 'to the local network of npm start' },
    ],
    load: async () => (await import('../commands/login.ts')).login,
  },
  {
    name: 'logout',
    group: GROUP,
    about: 'Forget the API key of an edge',
    args: [{ usage: '[url]', about: 'the edge (default: the one you are logged in to)' }],
    examples: [{ command: 'filetao logout', about: 'the key itself stays valid: filetao key revoke' }],
    load: async () => (await import('../commands/login.ts')).logout,
  },
  {
    name: 'identity',
    group: GROUP,
    about: 'The keys that your private files are encrypted with',
    commands: [
      {
        name: 'show',
        about: 'Show your recipient (to give to others), your account, and where the keys are',
        options: WALLET_OPTIONS,
        examples: [{ command: 'filetao identity show', about: 'nothing in it is secret' }],
        load: async () => (await import('../commands/identity.ts')).showIdentity,
      },
      {
        name: 'new',
        about: 'Make new keys and show the phrase that brings them back',
        options: [
          {
            flags: '--words <count>',
            about: '12 (the default), 15, 18, 21 or 24',
            choices: ['12', '15', '18', '21', '24'],
          },
        ],
        examples: [{ command: 'filetao identity new', about: 'the first put does this by itself' }],
        load: async () => (await import('../commands/identity.ts')).newIdentity,
      },
      {
        name: 'backup',
        about: 'Show the phrase again, to write it down',
        options: [YES_OPTION],
        examples: [{ command: 'filetao identity backup', about: 'whoever sees it can read your files' }],
        load: async () => (await import('../commands/identity.ts')).backupIdentity,
      },
      {
        name: 'export',
        about: 'Print the age identities, for the standard age program',
        options: [YES_OPTION, ...WALLET_OPTIONS],
        examples: [{ command: 'filetao identity export --yes > keys.txt', about: 'then: age -d -i keys.txt FILE' }],
        load: async () => (await import('../commands/identity.ts')).exportIdentity,
      },
    ],
  },
  {
    name: 'key',
    group: GROUP,
    about: 'API keys of your account',
    commands: [
      {
        name: 'list',
        about: 'List your API keys, without their text',
        options: EDGE_OPTIONS,
        examples: [{ command: 'filetao key list', about: 'ids, labels, times' }],
        load: async () => (await import('../commands/key.ts')).listKeys,
      },
      {
        name: 'new',
        about: 'Make another API key; it is shown this once',
        args: [{ usage: '[label]', about: 'what it is for' }],
        options: EDGE_OPTIONS,
        examples: [{ command: 'filetao key new laptop', about: 'the key alone goes to standard output' }],
        load: async () => (await import('../commands/key.ts')).newKey,
      },
      {
        name: 'revoke',
        about: 'Revoke an API key: it is refused from the next request on',
        args: [{ usage: '<keyId>', about: 'its id, from key list' }],
        options: EDGE_OPTIONS,
        examples: [{ command: 'filetao key revoke 5f3a…', about: '' }],
        load: async () => (await import('../commands/key.ts')).revokeKey,
      },
    ],
  },
  {
    name: 'wallet',
    alias: 'w',
    group: GROUP,
    about: 'Bittensor wallets: the same folders and files as btcli',
    commands: [
      {
        name: 'create',
        about: 'Make a coldkey and a hotkey; each phrase is shown once',
        options: [
          ...WALLET_OPTIONS,
          { flags: '--only <key>', about: 'make one of the two', choices: ['coldkey', 'hotkey'] },
          {
            flags: '--words <count>',
            about: '12 (the default), 15, 18, 21 or 24',
            choices: ['12', '15', '18', '21', '24'],
          },
          { flags: '--no-password', about: 'leave the coldkey unencrypted on the disk' },
          { flags: '--password-file <file>', about: 'the coldkey’s password is the first line of this file' },
          { flags: '--phrase-file <file>', about: 'the key of this phrase instead of a new one (needs --only)' },
        ],
        examples: [
          { command: 'filetao wallet create', about: 'coldkey and hotkey "default"' },
          { command: 'filetao wallet create --wallet.name mine --wallet.hotkey m1', about: '' },
          { command: 'filetao wallet create --only hotkey --wallet.hotkey m2', about: 'another hotkey' },
        ],
        load: async () => (await import('../commands/wallet-create.ts')).createWallet,
      },
      {
        name: 'list',
        about: 'List the wallets and their hotkeys',
        options: [{ flags: '--wallet.path <folder>', about: 'folder of the wallets' }],
        examples: [{ command: 'filetao wallet list', about: 'asks for no password' }],
        load: async () => (await import('../commands/wallet.ts')).listWallets,
      },
      {
        name: 'show',
        about: 'Show a wallet: addresses, files, and on the chain: balance and registrations',
        options: [...WALLET_OPTIONS, ...CHAIN_OPTIONS],
        examples: [
          { command: 'filetao wallet show --wallet.name mine', about: 'from its files alone' },
          { command: 'filetao wallet show --network test --netuid 22', about: 'and what the chain knows' },
        ],
        load: async () => (await import('../commands/wallet.ts')).showWallet,
      },
      {
        name: 'register',
        about: 'Register the hotkey in a subnet: shows what it burns, and asks first',
        options: [
          ...WALLET_OPTIONS,
          ...CHAIN_OPTIONS,
          { flags: '--max-cost <TAO>', about: 'refuse when it would burn more' },
          { flags: '--password-file <file>', about: 'the coldkey’s password is the first line of this file' },
          YES_OPTION,
        ],
        examples: [
          { command: 'filetao wallet register --network test --netuid 22', about: '' },
          { command: 'filetao wallet register --network local --yes', about: 'on a local network' },
        ],
        load: async () => (await import('../commands/wallet-register.ts')).registerHotkey,
      },
    ],
  },
];
