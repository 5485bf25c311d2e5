/**
 * Pending weight commits in one JSON file, written whole beside it and moved over, so that a crash leaves the old or
 * the new one. Only its owner may read it: a salt reveals weights before their time.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { type Hotkey, parseHotkey } from '#shared/primitives/ids.ts';
import { writeDurably } from '#shared/primitives/node-write-durably.ts';
import type { CommitStore, PendingCommit } from './ports.ts';

const U16 = z.int().min(0).max(65_535);

const File = z.array(
  z.strictObject({
    netuid: U16,
    hotkey: z.string().transform((text, context): Hotkey => {
      const hotkey = parseHotkey(text);
      if (hotkey) return hotkey;
      context.addIssue({ code: 'custom', message: 'is no hotkey' });
      return z.NEVER;
    }),
    commit: z.string().regex(/^[0-9a-f]{64}$/),
    weights: z.array(z.strictObject({ uid: U16, value: U16 })),
    salt: z.array(U16),
    versionKey: z
      .string()
      .regex(/^\d{1,20}$/)
      .transform(BigInt),
    sentAtBlock: z.int().min(0),
  }),
);

/** Rejects when the file is there and cannot be read: losing salts silently would cost an epoch's weights. */
export function createNodeCommitStore(path: string): CommitStore {
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(action: () => Promise<T>): Promise<T> => {
    const next = turn.catch(() => undefined).then(action);
    turn = next;
    return next;
  };

  async function read(): Promise<readonly PendingCommit[]> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '[]';
      throw error;
    });
    const parsed = File.safeParse(JSON.parse(text));
    if (!parsed.success) throw new Error(`${path} is damaged: ${z.prettifyError(parsed.error)}`);
    return parsed.data;
  }

  function write(commits: readonly PendingCommit[]): Promise<void> {
    const rows = commits.map((commit) => ({ ...commit, versionKey: commit.versionKey.toString() }));
    return writeDurably(path, JSON.stringify(rows));
  }

  return {
    list: (netuid, hotkey) =>
      inTurn(async () => (await read()).filter((commit) => commit.netuid === netuid && commit.hotkey === hotkey)),
    put: (commit) => inTurn(async () => write([...(await read()), commit])),
    remove: (commits) =>
      inTurn(async () => {
        const before = await read();
        const after = before.filter(({ commit }) => !commits.includes(commit));
        if (after.length < before.length) await write(after);
      }),
  };
}
