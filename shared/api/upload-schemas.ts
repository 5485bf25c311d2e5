/** The JSON of uploads by parts (`edge/routes/upload-routes.ts`): sizes are bytes, hashes lowercase hex. */
import { z } from 'zod';
import { CidText, ContentTypeText, FileName, MAX_TTL_SECONDS, RedundancyText } from './schemas.ts';

/** What S3 allows. */
export const MAX_PARTS = 10_000;
const MAX_PAGE_PARTS = 1000;
/** 16 TiB: more than any edge's `MAX_FILE_BYTES`. */
const MAX_BYTES = 2 ** 44;

const Time = z.iso.datetime();
const Count = z.int().min(0);
const Bytes = z.int().min(0).max(MAX_BYTES);

const Sha256Hex = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256: 64 lowercase hex digits')
  .meta({ description: 'SHA-256, hex' });

export const UploadIdText = z
  .string()
  .regex(/^[0-9a-z]{1,8}-[0-9a-f]{32}$/, 'is no upload id')
  .meta({ description: '`upload` of the answer to its opening' });

const PartNumber = z.int().min(1).max(MAX_PARTS);
const numberText = (schema: z.ZodNumber) =>
  z
    .string()
    .regex(/^\d{1,6}$/, 'must be a whole number')
    .transform(Number)
    .pipe(schema);
export const PartNumberText = numberText(PartNumber).meta({ description: `From 1 to ${MAX_PARTS}` });
export const PartFromText = numberText(PartNumber).default(1).meta({ description: 'The first part to list' });
export const PartLimitText = numberText(z.int().min(1).max(MAX_PAGE_PARTS)).default(MAX_PAGE_PARTS);

export const Sha256StateText = Sha256Hex.meta({
  description:
    'State of the whole file’s SHA-256 before this part (8 words, big-endian, hex): lets parts that arrive at once be hashed as they pass. Optional, and believed only once the part before agrees',
});

export const UploadRequest = z
  .strictObject({
    bytes: Bytes.optional().meta({ description: 'Of the whole file, if known' }),
    cid: CidText.optional().meta({ description: 'Of the whole file, if known: bytes that you have are not asked for' }),
    partBytes: z.int().min(1).optional().meta({
      description:
        'Of every part but the last: a multiple of 65536, at least 4194304; by default 16 MiB, or more for huge files',
    }),
    name: FileName.optional(),
    type: ContentTypeText.optional(),
    ttl: z
      .int()
      .min(0)
      .max(MAX_TTL_SECONDS)
      .default(0)
      .meta({ description: 'Seconds to keep the file once it is stored; 0: until deleted' }),
    redundancy: RedundancyText.optional(),
  })
  .meta({ id: 'UploadRequest' });
export type UploadRequest = z.input<typeof UploadRequest>;

export const UploadAnswer = z
  .strictObject({
    upload: z.string().meta({ description: 'The upload’s id' }),
    fileId: z.string().meta({ description: 'That the file will have' }),
    state: z.enum(['open', 'completing', 'stored', 'aborted', 'expired']),
    partBytes: z.int().min(1),
    maxParts: z.int().min(1),
    redundancy: z.strictObject({ k: z.int().min(1), n: z.int().min(1) }),
    openedAt: Time,
    endsAt: Time.meta({ description: 'Completed by then, or given up' }),
    bytes: Bytes.optional(),
    cid: z.string().optional(),
    name: z.string().optional(),
    contentType: z.string().optional(),
  })
  .meta({ id: 'Upload' });
export type UploadAnswer = z.output<typeof UploadAnswer>;

export const PartAnswer = z
  .strictObject({
    number: PartNumber,
    bytes: Bytes,
    hash: Sha256Hex,
  })
  .meta({ id: 'Part' });
export type PartAnswer = z.output<typeof PartAnswer>;

export const UploadPartsAnswer = UploadAnswer.extend({
  parts: z.array(PartAnswer),
  next: PartNumber.optional().meta({ description: '`from` of the following page' }),
}).meta({ id: 'UploadParts' });
export type UploadPartsAnswer = z.output<typeof UploadPartsAnswer>;

export const UploadListAnswer = z.strictObject({ uploads: z.array(UploadAnswer) }).meta({ id: 'Uploads' });
export type UploadListAnswer = z.output<typeof UploadListAnswer>;

export const CompletionRequest = z
  .strictObject({
    bytes: Bytes.optional(),
    cid: CidText.optional(),
    parts: z
      .array(Sha256Hex)
      .min(1)
      .max(MAX_PARTS)
      .optional()
      .meta({ description: 'SHA-256 of every part, part 1 first' }),
  })
  .meta({ id: 'CompletionRequest' });
export type CompletionRequest = z.input<typeof CompletionRequest>;

export const ProvingAnswer = z
  .strictObject({
    bytes: Count,
    provenBytes: Count.meta({ description: 'Of the file’s beginning: hashed in order' }),
  })
  .meta({ id: 'Proving' });
export type ProvingAnswer = z.output<typeof ProvingAnswer>;
