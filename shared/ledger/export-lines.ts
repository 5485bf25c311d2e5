/**
 * An audit export: what a third party needs to judge a validator's rounds without asking anyone. Text, one JSON value a
 * line, so that it is written and read as it streams; bytes are base64, hotkeys SS58. Lines of one miner stand
 * together, in the order in which things happened:
 *
 *   {"filetao":"audit/1","genesis":…,"netuid":N,"validator":SS58,"roundBlocks":N}     first line
 *   {"miner":SS58}                                                                   what follows is about this one
 *   {"change":"add"|"remove","slot":N,"bytes":N,"type":1|2,"root":…}                  a step of its inventory
 *   {"receipt":…}                                                                    store statement ‖ signature
 *   {"record":…,"answer":…}                                                          record ‖ signature; the answer as
 *                                                                                    it came, where it was kept
 *   {"end":{"miners":N,"records":N}}                                                 last line: nothing was cut off
 *
 * Written by `node-audit-export.ts`, judged by `verify-export.ts`.
 */
import { fromBase64, toBase64 } from '#shared/primitives/bytes.ts';
import { type Hotkey, parseHotkey } from '#shared/primitives/ids.ts';
import type { AnchorType } from '#shared/proof/any-anchor.ts';

export interface ExportHead {
  readonly genesis: Uint8Array;
  readonly netuid: number;
  readonly validator: Hotkey;
  /** Round r uses block roundBlocks·r. */
  readonly roundBlocks: number;
}

export interface ExportedChange {
  readonly op: 'add' | 'remove';
  readonly slot: number;
  readonly bytes: number;
  readonly type: AnchorType;
  readonly root: Uint8Array;
}

export type ExportLine =
  | { readonly kind: 'head'; readonly head: ExportHead }
  | { readonly kind: 'miner'; readonly miner: Hotkey }
  | { readonly kind: 'change'; readonly change: ExportedChange }
  | { readonly kind: 'receipt'; readonly signed: Uint8Array }
  | { readonly kind: 'record'; readonly signed: Uint8Array; readonly answer: Uint8Array | undefined }
  | { readonly kind: 'end'; readonly miners: number; readonly records: number };

export const EXPORT_VERSION = 'audit/1';
/** A sweep's answer is 700 KB, a third more in base64. */
export const MAX_LINE_CHARS = 4 * 1024 * 1024;

function jsonOf(line: ExportLine): unknown {
  switch (line.kind) {
    case 'head': {
      const { genesis, netuid, validator, roundBlocks } = line.head;
      return { filetao: EXPORT_VERSION, genesis: toBase64(genesis), netuid, validator, roundBlocks };
    }
    case 'miner':
      return { miner: line.miner };
    case 'change': {
      const { op, slot, bytes, type, root } = line.change;
      return { change: op, slot, bytes, type, root: toBase64(root) };
    }
    case 'receipt':
      return { receipt: toBase64(line.signed) };
    case 'record':
      return { record: toBase64(line.signed), ...(line.answer ? { answer: toBase64(line.answer) } : {}) };
    case 'end':
      return { end: { miners: line.miners, records: line.records } };
  }
}

/** Without the line break. */
export const encodeLine = (line: ExportLine): string => JSON.stringify(jsonOf(line));

type Fields = Readonly<Record<string, unknown>>;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const bytesIn = (value: unknown, length?: number): Uint8Array | undefined => {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
  return bytes && (length === undefined || bytes.length === length) ? bytes : undefined;
};
const hotkeyIn = (value: unknown): Hotkey | undefined => (typeof value === 'string' ? parseHotkey(value) : undefined);

/** Undefined when it is no line of an export. */
export function parseLine(text: string): ExportLine | undefined {
  if (text.length > MAX_LINE_CHARS) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const fields = value as Fields;
  const names = Object.keys(fields).sort().join();
  switch (names) {
    case 'filetao,genesis,netuid,roundBlocks,validator':
      return headOf(fields);
    case 'miner': {
      const miner = hotkeyIn(fields.miner);
      return miner && { kind: 'miner', miner };
    }
    case 'bytes,change,root,slot,type':
      return changeOf(fields);
    case 'receipt': {
      const signed = bytesIn(fields.receipt);
      return signed && { kind: 'receipt', signed };
    }
    case 'record':
    case 'answer,record': {
      const signed = bytesIn(fields.record);
      const answer = bytesIn(fields.answer);
      if (!signed || (fields.answer !== undefined && !answer)) return undefined;
      return { kind: 'record', signed, answer };
    }
    case 'end':
      return endOf(fields.end);
    default:
      return undefined;
  }
}

function headOf({ filetao, genesis, netuid, validator, roundBlocks }: Fields): ExportLine | undefined {
  const hash = bytesIn(genesis, 32);
  const hotkey = hotkeyIn(validator);
  if (filetao !== EXPORT_VERSION || !hash || !hotkey || !isCount(netuid) || !isCount(roundBlocks) || roundBlocks < 1) {
    return undefined;
  }
  return { kind: 'head', head: { genesis: hash, netuid, validator: hotkey, roundBlocks } };
}

function changeOf({ change, slot, bytes, type, root }: Fields): ExportLine | undefined {
  const rootBytes = bytesIn(root, 32);
  if ((change !== 'add' && change !== 'remove') || !isCount(slot) || !isCount(bytes) || !rootBytes) return undefined;
  if (type !== 1 && type !== 2) return undefined;
  return { kind: 'change', change: { op: change, slot, bytes, type, root: rootBytes } };
}

function endOf(value: unknown): ExportLine | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { miners, records } = value as Fields;
  return isCount(miners) && isCount(records) ? { kind: 'end', miners, records } : undefined;
}
