/**
 * What an envelope says inside: an age identity file, so that stock `age -d -i` takes it as it is. One identity, that of
 * the body; before it comments with what the recipients should know of the file. Values are JSON on one line.
 *
 *   # filetao private file 1
 *   # kind: "file"
 *   # bytes: 123
 *   # name: "report.pdf"
 *   # type: "application/pdf"
 *   AGE-SECRET-KEY-1…
 */
import { z } from 'zod';
import { utf8 } from '#shared/primitives/bytes.ts';
import { ClientError } from '../client-error.ts';

const FIRST_LINE = '# filetao private file 1';
/** A name of 255 bytes in JSON escapes, and then some. */
const MAX_TEXT_BYTES = 8192;

export const FileKind = z.enum(['file', 'tree', 'pack']);
export type FileKind = z.output<typeof FileKind>;

/** What is told of a private file to those who can open it. */
const Facts = z.object({
  kind: FileKind,
  /** Of the content, before encryption. */
  bytes: z.int().min(0),
  name: z.string().max(1024).optional(),
  type: z.string().max(255).optional(),
});
export type PrivateFacts = z.output<typeof Facts>;

export interface EnvelopeText {
  readonly identity: string;
  readonly facts: PrivateFacts;
}

const IDENTITY = /^AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{20,200}$/;

export function writeEnvelopeText({ identity, facts }: EnvelopeText): Uint8Array {
  const lines = Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `# ${key}: ${JSON.stringify(value)}`);
  return utf8(`${[FIRST_LINE, ...lines, identity].join('\n')}\n`);
}

const malformed = (): ClientError =>
  new ClientError('bad-record', 'the envelope opens, but says nothing understandable');

/** Unknown comments are passed over; anything else that is not expected is refused. */
export function parseEnvelopeText(bytes: Uint8Array): EnvelopeText {
  if (bytes.length > MAX_TEXT_BYTES) throw malformed();
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed();
  }
  const [first, ...lines] = text.split('\n');
  if (first !== FIRST_LINE || lines.pop() !== '') throw malformed();
  const identity = lines.pop() ?? '';
  const values: Record<string, unknown> = {};
  for (const line of lines) {
    const match = /^# ([a-z]{1,20}): (.*)$/.exec(line);
    if (!line.startsWith('#')) throw malformed();
    const [, key = '', json = ''] = match ?? [];
    if (!match || !Object.hasOwn(Facts.shape, key)) continue;
    try {
      values[key] = JSON.parse(json);
    } catch {
      throw malformed();
    }
  }
  const facts = Facts.safeParse(values);
  if (!facts.success || !IDENTITY.test(identity)) throw malformed();
  return { identity, facts: facts.data };
}
