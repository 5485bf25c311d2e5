/**
 * The JSON answers of a miner, `/health` and listings, as the client believes them: every field of its type and
 * range, unknown fields ignored, anything else refused as a whole (protocol.md §2).
 */
import { fromBase64Url } from '#shared/primitives/bytes.ts';
import { parseAnchorId, parseHotkey } from '#shared/primitives/ids.ts';
import { MAX_CURSOR_CHARS, MAX_LABEL_BYTES, MAX_SHARD_BYTES } from './limits.ts';
import type { MinerHealth, ShardListing } from './ports.ts';

type Fields = Readonly<Record<string, unknown>>;

function parseObject(body: Uint8Array): Fields | undefined {
  try {
    return asFields(JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(body)));
  } catch {
    return undefined;
  }
}

const asFields = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null ? (value as Fields) : undefined;

const asText = (value: unknown): string => (typeof value === 'string' ? value : '');

const isCount = (value: unknown, max = Number.MAX_SAFE_INTEGER): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max;

const VERSION = /^[\x21-\x7e]{1,64}$/;

export function parseHealth(body: Uint8Array): MinerHealth | undefined {
  const fields = parseObject(body);
  const hotkey = parseHotkey(asText(fields?.hotkey));
  const version = asText(fields?.version);
  if (!fields || !hotkey || !VERSION.test(version) || fields.role !== 'miner') return undefined;
  const { freeBytes, capacityBytes, shards, draining } = fields;
  if (!isCount(freeBytes) || !isCount(capacityBytes) || !isCount(shards) || typeof draining !== 'boolean')
    return undefined;
  if (fields.leaving !== undefined && fields.leaving !== true) return undefined;
  const health = { hotkey, version, role: 'miner', freeBytes, capacityBytes, shards, draining } as const;
  return fields.leaving ? { ...health, leaving: true } : health;
}

/** A listing cursor needs no escape in a target, so that what is signed is what is sent. */
const CURSOR = new RegExp(`^[A-Za-z0-9_.~-]{1,${MAX_CURSOR_CHARS}}$`);
export const isCursor = (text: string): boolean => CURSOR.test(text);

const REF = /^(?:0|[1-9][0-9]{0,19})$/;
const MAX_REF = (1n << 64n) - 1n;

function parseItem(value: unknown): ShardListing | undefined {
  const fields = asFields(value);
  const anchorId = parseAnchorId(asText(fields?.anchorId));
  const label = fromBase64Url(typeof fields?.label === 'string' ? fields.label : '!');
  const refText = asText(fields?.ref);
  if (!fields || !anchorId || !label || label.length > MAX_LABEL_BYTES || !REF.test(refText)) return undefined;
  const ref = BigInt(refText);
  const { bytes, holdUntilMs, state } = fields;
  if (ref > MAX_REF || !isCount(bytes, MAX_SHARD_BYTES) || !isCount(holdUntilMs)) return undefined;
  if (state !== 'held' && state !== 'dropped') return undefined;
  return { anchorId, bytes, ref, holdUntilMs, label, state };
}

/** @param limit what was asked: more items are refused */
export function parseListing(
  body: Uint8Array,
  limit: number,
): { readonly items: readonly ShardListing[]; readonly next?: string } | undefined {
  const fields = parseObject(body);
  if (!fields || !Array.isArray(fields.items) || fields.items.length > limit) return undefined;
  const items: ShardListing[] = [];
  for (const value of fields.items) {
    const item = parseItem(value);
    if (!item) return undefined;
    items.push(item);
  }
  const { next } = fields;
  if (next === undefined || next === null) return { items };
  return typeof next === 'string' && isCursor(next) ? { items, next } : undefined;
}
