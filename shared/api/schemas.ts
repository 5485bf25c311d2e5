/**
 * The JSON that the edge speaks, once: the edge checks requests with these, types its answers by them and generates
 * `/openapi.json` from them; the client library has its types from them. Times are ISO 8601 in UTC.
 */
import { z } from 'zod';
import { parseCid } from '#shared/codec/cid.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { parseContentType } from './content-type.ts';
import { parseFileName } from './file-name.ts';

/** A century: more is a mistake in the unit. */
export const MAX_TTL_SECONDS = 100 * 366 * 24 * 3600;

/** An opaque position in a listing. */
const MAX_CURSOR_CHARS = 256;
const MAX_PAGE_FILES = 500;
const DEFAULT_PAGE_FILES = 100;
const MAX_LABEL_CHARS = 100;

export const CidText = z
  .string()
  .refine((text) => parseCid(text) !== undefined, 'must be a CIDv1 of raw bytes with sha2-256, in base32 ("bafkrei…")')
  .transform((text) => text as Cid)
  .meta({
    description: 'CIDv1, raw, sha2-256, base32',
    examples: ['bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'],
  });

export const FileName = z
  .string()
  .transform((text, context) => {
    const parsed = parseFileName(text);
    if (parsed.ok) return parsed.name;
    context.addIssue({ code: 'custom', message: parsed.message });
    return z.NEVER;
  })
  .meta({ description: 'One path-free name, at most 255 bytes of UTF-8' });

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max));

export const TtlText = wholeNumber(0, MAX_TTL_SECONDS).meta({
  description: 'Seconds until the file expires; 0 (the default): kept until it is deleted',
});

export const RedundancyText = z
  .string()
  .regex(/^[1-9]\d{0,2},[1-9]\d{0,2}$/, 'must be K,N: any K of N shards rebuild a segment')
  .transform((text) => {
    const [k = 0, n = 0] = text.split(',').map(Number);
    return { k, n };
  })
  .meta({ description: 'K,N: any K of N shards rebuild a segment; by default chosen by the size of the network' });

export const ContentTypeText = z
  .string()
  .transform((text, context) => {
    const type = parseContentType(text);
    if (type !== undefined) return type;
    context.addIssue({ code: 'custom', message: 'must be a media type such as image/png' });
    return z.NEVER;
  })
  .meta({ description: 'The media type that the file is served with' });

/** Whether proofs of the file's shards may show leaves of them (masked ciphertext), or nothing at all. */
const Proof = z.enum(['por', 'zk']);
export const ProofText = Proof.meta({
  description: 'zk: proofs show nothing but that the shards are there (zero knowledge; small files). por: the default',
});

export const CursorText = z.string().min(1).max(MAX_CURSOR_CHARS).meta({ description: '`next` of the page before' });
export const LimitText = wholeNumber(1, MAX_PAGE_FILES).default(DEFAULT_PAGE_FILES);

export const EnvelopesText = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .meta({ description: 'true: with the envelopes of private files' });

const Time = z.iso.datetime();
const Count = z.int().min(0);

const RedundancyAnswer = z.strictObject({ k: z.int().min(1), n: z.int().min(1) });

export const FileAnswer = z
  .strictObject({
    cid: z.string(),
    fileId: z.string().meta({ description: 'This file, whoever else stored the same bytes: 16 random bytes, hex' }),
    bytes: Count,
    segments: z.int().min(1),
    redundancy: RedundancyAnswer,
    proof: Proof.meta({ description: 'How its shards are proven' }),
    createdAt: Time,
    expiresAt: Time.nullable().meta({ description: 'null: kept until it is deleted' }),
    name: z.string().optional(),
    contentType: z.string().optional(),
    envelope: z
      .string()
      .optional()
      .meta({ description: 'Of a private file, when it was asked for: its signed envelope, base64url' }),
  })
  .meta({ id: 'File' });
export type FileAnswer = z.output<typeof FileAnswer>;

export const FilesAnswer = z.strictObject({ files: z.array(FileAnswer) }).meta({ id: 'StoredFiles' });

export const FilePageAnswer = z
  .strictObject({ files: z.array(FileAnswer), next: z.string().optional() })
  .meta({ id: 'FilePage' });
export type FilePageAnswer = z.output<typeof FilePageAnswer>;

export const DeletionAnswer = z
  .strictObject({
    cid: z.string(),
    deletedAt: Time,
    shards: Count.meta({ description: 'Shards that miners have to drop' }),
    dropped: Count.meta({ description: 'Shards whose miner has signed that it dropped them' }),
    complete: z.boolean(),
  })
  .meta({ id: 'Deletion' });
export type DeletionAnswer = z.output<typeof DeletionAnswer>;

export const KeyAnswer = z.strictObject({ keyId: z.string(), label: z.string(), createdAt: Time }).meta({ id: 'Key' });
export type KeyAnswer = z.output<typeof KeyAnswer>;
export const NewKeyAnswer = KeyAnswer.extend({
  key: z.string().meta({ description: 'The key itself: shown this once' }),
}).meta({ id: 'NewKey' });
export type NewKeyAnswer = z.output<typeof NewKeyAnswer>;

export const KeyListAnswer = z.strictObject({ keys: z.array(KeyAnswer) }).meta({ id: 'Keys' });

export const AccountAnswer = z
  .strictObject({ owner: z.string(), files: Count, bytes: Count, quotaBytes: Count, freeBytes: Count })
  .meta({ id: 'Account' });
export type AccountAnswer = z.output<typeof AccountAnswer>;

/** The worst segments of a status, listed one by one. */
export const MAX_WORST = 16;

export const StatusAnswer = z
  .strictObject({
    cid: z.string(),
    bytes: Count,
    segments: Count,
    redundancy: z.strictObject({ k: Count, n: Count }),
    proof: Proof,
    health: z.enum(['full', 'reduced', 'at-risk', 'lost']).meta({
      description: 'full: every shard; reduced: some lost; at-risk: below the repair threshold; lost: below k',
    }),
    shards: z.strictObject({ total: Count, alive: Count }),
    miners: z.strictObject({ total: Count, alive: Count }),
    groups: Count.meta({ description: 'Different owner groups among the live holders' }),
    survives: z
      .strictObject({ miners: z.int(), groups: z.int() })
      .meta({ description: 'How many more of them, chosen as badly as can be, may be lost; −1: too many are' }),
    concentrated: z.boolean().meta({ description: 'Some group holds more of a segment than it should' }),
    worst: z
      .array(z.strictObject({ segment: Count, alive: Count, survivesMiners: z.int(), survivesGroups: z.int() }))
      .meta({ description: `The ${MAX_WORST} segments that stand worst` }),
  })
  .meta({ id: 'Status' });
export type StatusAnswer = z.output<typeof StatusAnswer>;

/** What an owner may change of a file. */
export const FileChangeRequest = z
  .strictObject({
    ttl: z.int().min(0).max(MAX_TTL_SECONDS).optional().meta({ description: 'Seconds from now; 0: until deleted' }),
    expiresAt: z.iso.datetime({ offset: true }).nullable().optional().meta({ description: 'null: until deleted' }),
    name: FileName.nullable().optional().meta({ description: 'null takes the name away' }),
  })
  .refine(({ ttl, expiresAt }) => ttl === undefined || expiresAt === undefined, 'give ttl or expiresAt, not both')
  .refine((change) => Object.keys(change).length > 0, 'nothing to change')
  .meta({ id: 'FileChange' });

export const KeyRequest = z
  .strictObject({
    label: z
      .string()
      .max(MAX_LABEL_CHARS)
      .regex(/^\P{C}*$/u, 'no control characters')
      .default(''),
  })
  .meta({ id: 'KeyRequest' });

export const EnvelopeAnswer = z.strictObject({ cid: z.string(), revision: z.int().min(1) }).meta({ id: 'Envelope' });

const hexText = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `must be ${bytes} bytes of hex`);

/** A request for an API key, signed by an account (`shared/account/account-login.ts`). */
export const LoginRequest = z
  .strictObject({
    account: hexText(32).meta({ description: 'Public ed25519 key of the account' }),
    nonce: hexText(16).meta({ description: 'Random, never the same twice' }),
    timeMs: z.int().min(0).meta({ description: 'Milliseconds since the epoch, now' }),
    label: KeyRequest.shape.label,
    signature: hexText(64).meta({ description: 'Over the login statement; its host is the one of this request' }),
  })
  .meta({ id: 'Login' });
export const LoginAnswer = NewKeyAnswer.extend({ owner: z.string() }).meta({ id: 'LoggedIn' });
export type LoginAnswer = z.output<typeof LoginAnswer>;
