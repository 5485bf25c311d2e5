/**
 * The chain on disk: an append-only log of blocks in segments, so that a process that was killed finds everything up to
 * its last whole record. A segment begins with the genesis block and the whole state at its first block; the last two
 * are kept, older ones deleted. A record:
 *   u32 length (little-endian) ‖ first 8 bytes of BLAKE2b-256 over the payload ‖ payload (SCALE)
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { blake2b } from '@noble/hashes/blake2.js';
import { concatBytes, equalBytes, fromHex, toHex } from '#shared/primitives/bytes.ts';
import { invariant } from '#shared/primitives/failure.ts';
import { decode } from '../scale/decode.ts';
import { encode } from '../scale/encode.ts';
import type { ScaleValue } from '../scale/type.ts';
import { TypeTable } from '../scale/type-table.ts';
import type { Changes } from '../state/state-view.ts';
import type { Block, Header } from './block.ts';

const FORMAT = new TypeTable({
  Header: 'scale { parentHash: [u8; 32], number: u32, stateRoot: [u8; 32], extrinsicsRoot: [u8; 32] }',
  Block: 'scale { hash: [u8; 32], header: Header, extrinsics: Vec<Vec<u8>> }',
  Entry: 'scale { key: Vec<u8>, value: Option<Vec<u8>> }',
  Record:
    'scale | Genesis(Block) | Snapshot { block: Block, changes: Vec<Entry> } | Next { block: Block, changes: Vec<Entry> }',
});
const RECORD = FORMAT.get('Record');
const HEAD_BYTES = 12;
const CHECK_BYTES = 8;
const SEGMENT = /^blocks-(\d{10})\.log$/;

export interface StoredBlock {
  readonly block: Block;
  readonly changes: Changes;
}
export interface StoredChain {
  readonly genesis: Block;
  readonly blocks: readonly StoredBlock[];
  /** Bytes of an unfinished record that were cut off. */
  readonly tornBytes: number;
}

export class BlockLog {
  readonly #folder: string;
  readonly #segmentBlocks: number;
  #file: number | undefined;
  #genesis: Block | undefined;
  #inSegment = 0;

  /** @param segmentBlocks how many blocks a segment holds before the next begins */
  constructor(folder: string, segmentBlocks: number) {
    this.#folder = folder;
    this.#segmentBlocks = segmentBlocks;
  }

  #segments(): string[] {
    return readdirSync(this.#folder)
      .filter((name) => SEGMENT.test(name))
      .sort()
      .map((name) => join(this.#folder, name));
  }

  /** What is there, and the log open behind it; undefined in an empty folder. */
  load(): StoredChain | undefined {
    const blocks: StoredBlock[] = [];
    let genesis: Block | undefined;
    let tornBytes = 0;
    const segments = this.#segments();
    segments.forEach((path, i) => {
      const bytes = readFileSync(path);
      const { records, end } = readRecords(bytes);
      const last = i === segments.length - 1;
      if (end < bytes.length && !last) throw new Error(`${path} is damaged; delete the folder to begin a new chain`);
      let counted = 0;
      for (const { type, value } of records) {
        counted++;
        if (type === 'Genesis') genesis = blockOf(value);
        else {
          const { block, changes } = value as unknown as { block: ScaleValue; changes: readonly Entry[] };
          // A later segment's first block is known already, with its changes instead of the whole state.
          if (type === 'Snapshot' && blocks.length > 0) continue;
          blocks.push({ block: blockOf(block), changes: changesOf(changes) });
        }
      }
      if (!last) return;
      tornBytes = bytes.length - end;
      if (tornBytes > 0) truncateSync(path, end);
      this.#file = openSync(path, 'a');
      this.#inSegment = counted;
    });
    if (segments.length === 0) return undefined;
    if (!genesis || blocks.length === 0) {
      this.#close();
      throw new Error(`${this.#folder} holds no readable chain; delete it to begin a new one`);
    }
    this.#genesis = genesis;
    return { genesis, blocks, tornBytes };
  }

  /** The first block of a new chain, with its whole state. */
  begin(genesis: Block, state: Changes): void {
    this.#genesis = genesis;
    this.#open(genesis, state);
  }

  /** Appends a block; durable against power loss too when `sync`. A full segment is followed by the next. */
  append(stored: StoredBlock, sync: boolean, wholeState: () => Changes): void {
    invariant(this.#file !== undefined, 'the log is open');
    writeSync(this.#file, record('Next', stored));
    if (sync) fdatasyncSync(this.#file);
    this.#inSegment++;
    if (this.#inSegment < this.#segmentBlocks) return;
    const state = new Map(wholeState());
    for (const [key, value] of stored.changes) state.set(key, value);
    this.#open(stored.block, state);
    for (const old of this.#segments().slice(0, -2)) unlinkSync(old);
  }

  #open(block: Block, state: Changes): void {
    invariant(this.#genesis, 'the genesis is known');
    this.#close();
    const path = join(this.#folder, `blocks-${String(block.header.number).padStart(10, '0')}.log`);
    // Whole or not there: a segment without its state could not be read once the one before is gone.
    const file = openSync(`${path}.new`, 'w');
    writeSync(file, concatBytes(record('Genesis', this.#genesis), record('Snapshot', { block, changes: state })));
    fsyncSync(file);
    closeSync(file);
    renameSync(`${path}.new`, path);
    const folder = openSync(this.#folder, 'r');
    fsyncSync(folder);
    closeSync(folder);
    this.#file = openSync(path, 'a');
    this.#inSegment = 0;
  }

  #close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
  close(): void {
    if (this.#file !== undefined) fdatasyncSync(this.#file);
    this.#close();
  }
}

interface Entry {
  readonly key: Uint8Array;
  readonly value?: Uint8Array;
}

function record(type: 'Genesis' | 'Snapshot' | 'Next', value: Block | StoredBlock): Uint8Array {
  const inner =
    'changes' in value ? { block: blockValue(value.block), changes: entriesOf(value.changes) } : blockValue(value);
  const payload = encode(RECORD, { type, value: inner });
  const head = new Uint8Array(HEAD_BYTES);
  new DataView(head.buffer).setUint32(0, payload.length, true);
  head.set(check(payload), 4);
  return concatBytes(head, payload);
}

const check = (payload: Uint8Array): Uint8Array => blake2b(payload, { dkLen: 32 }).subarray(0, CHECK_BYTES);

/** All whole records from the beginning, and where they end. */
function readRecords(bytes: Uint8Array) {
  const records: { type: string; value: ScaleValue }[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let end = 0;
  while (end + HEAD_BYTES <= bytes.length) {
    const length = view.getUint32(end, true);
    const payload = bytes.subarray(end + HEAD_BYTES, end + HEAD_BYTES + length);
    if (payload.length < length || !equalBytes(check(payload), bytes.subarray(end + 4, end + HEAD_BYTES))) break;
    const found = decode(RECORD, payload);
    if (!found) break;
    records.push(found.value as { type: string; value: ScaleValue });
    end += HEAD_BYTES + length;
  }
  return { records, end };
}

const blockValue = (block: Block): ScaleValue => ({
  hash: block.hash,
  header: { ...block.header },
  extrinsics: block.extrinsics,
});
function blockOf(value: ScaleValue): Block {
  const { hash, header, extrinsics } = value as unknown as {
    hash: Uint8Array;
    header: Header;
    extrinsics: Uint8Array[];
  };
  return { hash, header, extrinsics };
}
const entriesOf = (changes: Changes): ScaleValue => [...changes].map(([key, value]) => ({ key: fromHex(key), value }));
const changesOf = (entries: readonly Entry[]): Changes => new Map(entries.map(({ key, value }) => [toHex(key), value]));
