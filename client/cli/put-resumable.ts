/**
 * A large file to the edge, so that whatever breaks it off, running the same command again goes on where it stopped:
 * first what will be sent is made ready (a private file's ciphertext on disk), then it goes by parts.
 */
import type { Client, StoredFile } from '#client/client.ts';
import type { PreparedUpload, PrepareOptions } from '#client/resume-upload.ts';
import { CommandFailed } from './command-failed.ts';
import type { Cli } from './command-spec.ts';
import { type PutSource, readPieces } from './put-source.ts';
import { printable } from './terminal/table.ts';
import { formatBytes } from './terminal/units.ts';
import { rangeReader, type UploadJournal } from './upload-journal.ts';

type FileSource = Extract<PutSource, { kind: 'file' }>;

const discard = (): WritableStream<Uint8Array> => new WritableStream();

async function prepare(
  cli: Cli,
  client: Client,
  journal: UploadJournal,
  source: FileSource,
  options: PrepareOptions,
): Promise<PreparedUpload> {
  await journal.clear();
  const bar = cli.out.progress(
    `${options.plain ? 'hashing' : 'encrypting'} ${printable(source.name ?? '')}`,
    source.bytes,
  );
  let bytes = 0;
  async function* pieces() {
    for await (const piece of readPieces(source.path)) {
      bytes += piece.length;
      bar.update(bytes);
      yield piece;
    }
  }
  try {
    // A public file is its own spool.
    const spool = options.plain ? discard() : await journal.openSpool();
    const prepared = await client.prepare(pieces(), spool, options);
    if (bytes !== source.bytes) throw changed(source);
    await journal.keepPrepared(prepared);
    return prepared;
  } finally {
    bar.done();
  }
}

const changed = ({ path }: FileSource): CommandFailed =>
  new CommandFailed('file-changed', `${path} changed while it was being stored: store it again when it is done`);

export async function putResumable(
  cli: Cli,
  client: Client,
  journal: UploadJournal,
  source: FileSource,
  options: PrepareOptions,
): Promise<StoredFile & { readonly sentBytes: number }> {
  const earlier = await journal.prepared();
  const upload = earlier && (await journal.upload());
  const prepared = earlier ?? (await prepare(cli, client, journal, source, options));
  const label = printable(source.name ?? '');
  if (upload !== undefined) cli.out.note(`Going on with the upload of ${label} that was broken off.`);
  const bar = cli.out.progress(label, prepared.bytes);
  try {
    const { cid, file, sentBytes } = await client.sendPrepared(prepared, {
      read: rangeReader(options.plain ? source.path : journal.spool),
      upload,
      onUpload: (session) => journal.keepUpload(session),
      onProgress: ({ bytes, totalBytes }) => bar.update(bytes, totalBytes),
      signal: cli.signal,
    });
    await journal.done();
    if (upload !== undefined) cli.out.note(`${formatBytes(prepared.bytes - sentBytes)} were there already.`);
    return { cid, bytes: source.bytes, private: !options.plain, file, sentBytes };
  } catch (error) {
    await journal.release();
    throw error;
  } finally {
    bar.done();
  }
}
