/** Operators' commands as real processes, against the real gateway where they need an index. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openIndex, TENANT_TOKEN } from '#infra/gateway/testing/open-index.ts';
import { apiKeyHash } from '#shared/primitives/api-key.ts';
import { fromHex } from '#shared/primitives/bytes.ts';
import { parseHotkey } from '#shared/primitives/ids.ts';
import { signerFromSeed } from '#shared/wire/sr25519-scure.ts';

const folder = mkdtempSync(join(tmpdir(), 'filetao-operate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const run = (name: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const options = { env: { PATH: process.env.PATH ?? '', ...env } };
    execFile(process.execPath, [`infra/operate/${name}.ts`, ...args], options, (error, out, err) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, out, err }),
    );
  });

const mode = (path: string): number => statSync(path).mode & 0o777;

describe('new-edge-key', () => {
  it('writes a seed that only its owner can read, and prints its hotkey and not the seed', async () => {
    const path = join(folder, 'edge.seed');
    const { code, out } = await run('new-edge-key', [path]);
    expect(code).toBe(0);
    const seed = fromHex(readFileSync(path, 'utf8').trim(), 32);
    expect(mode(path)).toBe(0o600);
    const hotkey = /^hotkey (\S+)$/m.exec(out)?.[1] ?? '';
    expect(parseHotkey(hotkey)).toBe(seed && signerFromSeed(seed).hotkey);
    expect(out).not.toContain(readFileSync(path, 'utf8').trim());
  });
  it('never writes over a key', async () => {
    const path = join(folder, 'kept.seed');
    writeFileSync(path, 'kept');
    expect(await run('new-edge-key', [path])).toMatchObject({ code: 1, out: '', err: expect.stringContaining(path) });
    expect(readFileSync(path, 'utf8')).toBe('kept');
  });
});

describe('new-mask-secret', () => {
  it('starts with epoch 0 and adds the next to what is there', async () => {
    const path = join(folder, 'masks');
    await run('new-mask-secret', [path]);
    const first = readFileSync(path, 'utf8').trim();
    expect(first).toMatch(/^0:[0-9a-f]{64}$/);
    expect(await run('new-mask-secret', [path])).toMatchObject({ code: 0, out: expect.stringContaining('epoch 1') });
    const both = readFileSync(path, 'utf8').trim();
    expect(both).toMatch(/^0:[0-9a-f]{64},1:[0-9a-f]{64}$/);
    expect(both.startsWith(`${first},`)).toBe(true);
    expect(mode(path)).toBe(0o600);
  });
  it.each([
    { id: 'holds something else', text: 'hello', mode: 0o600 },
    { id: 'others can read', text: `0:${'ab'.repeat(32)}`, mode: 0o644 },
    { id: 'is full', text: `65535:${'ab'.repeat(32)}`, mode: 0o600 },
  ])('leaves a file alone that $id', async ({ id, text, mode: bits }) => {
    const path = join(folder, `masks ${id}`);
    writeFileSync(path, text, { mode: bits });
    expect((await run('new-mask-secret', [path])).code).toBe(1);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
});

describe('new-account', () => {
  it('makes an account whose key opens it, with its quota', async () => {
    const world = await openIndex();
    try {
      const token = join(folder, 'token');
      writeFileSync(token, `${TENANT_TOKEN}\n`, { mode: 0o600 });
      const env = { FILETAO_INDEX_URL: world.gateway.url, FILETAO_INDEX_TOKEN_FILE: token };
      const { code, out } = await run('new-account', ['--quota-bytes', '1000', '--label', 'me'], env);
      expect(code).toBe(0);
      const key = /^API key (ftk_\S+)$/m.exec(out)?.[1] ?? '';
      const { access, files } = world.connect();
      const found = await access.findKey(apiKeyHash(key));
      expect(found).toMatchObject({ label: 'me' });
      expect(found && (await files.usage(found.owner)).quotaBytes).toBe(1000);
      await run('new-account', ['--owner', found?.owner ?? ''], env);
      expect(found && (await access.listKeys(found.owner))).toHaveLength(2);
    } finally {
      await world.close();
    }
  });
  it.each([
    { id: 'no index', args: [], env: {}, says: 'FILETAO_INDEX_URL' },
    { id: 'no token', args: [], env: { FILETAO_INDEX_URL: 'http://127.0.0.1:1' }, says: 'FILETAO_INDEX_TOKEN_FILE' },
    { id: 'an unknown option', args: ['--quota', '5'], env: {}, says: '--quota' },
  ])('says in one line what is wrong: $id', async ({ args, env, says }) => {
    const { code, out, err } = await run('new-account', args, env as Record<string, string>);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(says);
  });
});

describe('edge-acl', () => {
  it('prints rules for one line of ACL SETUSER', async () => {
    const { out } = await run('edge-acl', []);
    expect(out.trim().split('\n')).toHaveLength(1);
    expect(out).toContain('%R~*');
    const hotkey = signerFromSeed(new Uint8Array(32).fill(1)).hotkey;
    const basic = await run('edge-acl', [hotkey]);
    expect(basic.out).toContain(`~g:${hotkey}`);
    expect(basic.out).not.toContain('%R');
    expect((await run('edge-acl', ['nonsense'])).code).toBe(2);
  });
});
