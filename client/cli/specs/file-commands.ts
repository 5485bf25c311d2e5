/** Commands on files. */
import type { CommandSpec, Option } from '../command-spec.ts';
import { EDGE_OPTIONS, NAMES_OPTIONS, PRIVACY_OPTIONS, WALLET_OPTIONS } from './shared-options.ts';

const GROUP = 'Your files:';

export const PUT_OPTIONS: readonly Option[] = [
  { flags: '-n, --name <name>', about: 'name to find it by (default: that of the file)' },
  { flags: '--type <type>', about: 'media type, such as image/jpeg (default: by the name’s ending)' },
  { flags: '--ttl <duration>', about: 'how long to keep it: 90s, 12h, 30d, 1y (default: until it is deleted)' },
  { flags: '--redundancy <k,n>', about: 'any K of N shards rebuild it (default: by the network’s size)' },
  {
    flags: '--proof <level>',
    about: 'por: the ordinary proofs (default); zk: proofs that show nothing, for files up to 1 MiB',
    choices: ['por', 'zk'],
  },
  ...PRIVACY_OPTIONS,
  { flags: '--part-size <size>', about: 'of a resumable upload, such as 16M (default: 16M)' },
  { flags: '--no-resume', about: 'begin anew, even if an upload of this file was broken off' },
  ...WALLET_OPTIONS,
  ...NAMES_OPTIONS,
  ...EDGE_OPTIONS,
];

export const GET_OPTIONS: readonly Option[] = [
  { flags: '-o, --output <path>', about: 'where to write it; - is standard output (default: its name)' },
  { flags: '-f, --force', about: 'replace what is there' },
  { flags: '--range <first-last>', about: 'only these bytes, counted from 0, both included' },
  { flags: '--path <path>', about: 'of a directory: only this file or folder' },
  { flags: '--passphrase', about: 'it was stored with a passphrase; it is asked for' },
  { flags: '--passphrase-file <file>', about: 'the passphrase is the first line of this file' },
  { flags: '--identity <file>', about: 'an age identity file (AGE-SECRET-KEY-…) to read it with' },
  { flags: '--from <owner>', about: 'refuse it unless this account signed it' },
  { flags: '--storage_basepath <folder>', about: 'folder to write it to' },
  ...WALLET_OPTIONS,
  ...NAMES_OPTIONS,
  ...EDGE_OPTIONS,
];

export const FILE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'put',
    group: GROUP,
    about: 'Store a file, a directory, or standard input (-)',
    details:
      'Files are encrypted on this machine before they leave it, for you alone, unless you say --public.\nAn upload that breaks off is resumed by running the same command again.',
    args: [{ usage: '[source]', about: 'a file, a directory, or - for standard input' }],
    options: [{ flags: '--filepath <path>', about: 'the same as the argument', hidden: true }, ...PUT_OPTIONS],
    examples: [
      { command: 'filetao put holiday.jpg', about: 'private: only you can read it' },
      { command: 'filetao put photos/ --ttl 1y', about: 'a whole directory, for a year' },
      { command: 'filetao put site.css --public', about: 'for everyone who knows its CID' },
      { command: 'tar c notes | filetao put - -n notes.tar', about: 'from a pipe' },
      { command: 'filetao put will.txt --proof zk', about: 'proofs of it show nothing, not even ciphertext' },
      { command: 'filetao put plan.pdf --recipient age1pq1…', about: 'for somebody else, too' },
    ],
    load: async () => (await import('../commands/put.ts')).put,
  },
  {
    name: 'get',
    group: GROUP,
    about: 'Get a file or a directory back',
    details:
      'It appears under its name only when all of it is there and its signature and CID are right.\nA name is looked up in your account; a CID (bafkrei…) names the bytes themselves.',
    args: [{ usage: '[file]', about: 'CID or name' }],
    options: [
      { flags: '--cid <cid>', about: 'the same as the argument', hidden: true },
      { flags: '--data_hash <cid>', about: 'the same as the argument', hidden: true },
      ...GET_OPTIONS,
    ],
    examples: [
      { command: 'filetao get holiday.jpg', about: 'into holiday.jpg here' },
      { command: 'filetao get bafkrei… -o copy.jpg', about: 'by CID, under another name' },
      { command: 'filetao get notes.tar -o - | tar x', about: 'into a pipe' },
      { command: 'filetao get movie.mkv --range 0-1048575 -o start', about: 'the first MiB' },
      { command: 'filetao get photos --path 2026/june', about: 'one folder of a directory' },
    ],
    load: async () => (await import('../commands/get.ts')).get,
  },
  {
    name: 'ls',
    group: GROUP,
    about: 'List your files, newest first',
    args: [{ usage: '[file]', about: 'a stored directory: list what is in it' }],
    options: [
      { flags: '--limit <count>', about: 'at most so many' },
      ...WALLET_OPTIONS,
      ...NAMES_OPTIONS,
      ...EDGE_OPTIONS,
    ],
    examples: [
      { command: 'filetao ls', about: 'names, sizes, times, CIDs' },
      { command: 'filetao ls photos', about: 'what is in a stored directory' },
      { command: 'filetao ls --json | jq -r .files[].cid', about: 'for a script' },
    ],
    load: async () => (await import('../commands/ls.ts')).ls,
  },
  {
    name: 'stat',
    group: GROUP,
    about: 'Show how a file stands: shards alive, losses it survives',
    args: [{ usage: '<file>', about: 'CID or name' }],
    options: [...WALLET_OPTIONS, ...NAMES_OPTIONS, ...EDGE_OPTIONS],
    examples: [{ command: 'filetao stat holiday.jpg', about: 'its miners are asked once' }],
    load: async () => (await import('../commands/stat.ts')).stat,
  },
  {
    name: 'rm',
    group: GROUP,
    about: 'Delete files',
    details: 'A file is not found from that moment on; its miners drop their shards and sign for it.',
    args: [{ usage: '<files...>', about: 'CIDs or names' }],
    options: [
      { flags: '--wait', about: 'until every miner has signed that it dropped its shards' },
      ...WALLET_OPTIONS,
      ...NAMES_OPTIONS,
      ...EDGE_OPTIONS,
    ],
    examples: [
      { command: 'filetao rm old.tar older.tar', about: 'two files' },
      { command: 'filetao rm holiday.jpg --wait', about: 'and wait for the receipts' },
    ],
    load: async () => (await import('../commands/rm.ts')).rm,
  },
  {
    name: 'share',
    group: GROUP,
    about: 'Let somebody else read a private file',
    details: 'Nothing is uploaded again: the key of this one file is encrypted to them, too.',
    args: [
      { usage: '<file>', about: 'CID or name' },
      { usage: '<recipients...>', about: 'age recipients: age1… or age1pq1…' },
    ],
    options: [...WALLET_OPTIONS, ...NAMES_OPTIONS, ...EDGE_OPTIONS],
    examples: [{ command: 'filetao share plan.pdf age1pq1…', about: 'they read it with: filetao get CID' }],
    load: async () => (await import('../commands/share.ts')).share,
  },
  {
    name: 'unshare',
    group: GROUP,
    about: 'Take somebody off the readers of a private file',
    details: 'Whoever could read it may have kept its key or a copy: to be sure, store it anew and delete this one.',
    args: [
      { usage: '<file>', about: 'CID or name' },
      { usage: '<recipients...>', about: 'age recipients' },
    ],
    options: [...WALLET_OPTIONS, ...NAMES_OPTIONS, ...EDGE_OPTIONS],
    examples: [{ command: 'filetao unshare plan.pdf age1pq1…', about: 'from now on' }],
    load: async () => (await import('../commands/share.ts')).unshare,
  },
  {
    name: 'recover',
    group: GROUP,
    about: 'Have your files again on a new machine, from the phrase alone',
    details: 'Asks for the 12 to 24 words, makes the keys of them, and finds every file of yours at the edge.',
    options: [
      { flags: '--phrase-file <file>', about: 'the phrase is in this file; - is standard input' },
      { flags: '--all <folder>', about: 'get every file back into this folder' },
      ...EDGE_OPTIONS,
    ],
    examples: [
      { command: 'filetao recover', about: 'asks for the phrase, then lists what there is' },
      { command: 'filetao recover --all restored/', about: 'and brings all of it here' },
    ],
    load: async () => (await import('../commands/recover.ts')).recover,
  },
];
