import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBase64, utf8 } from '#shared/primitives/bytes.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import type { Failure, Result } from '#shared/primitives/failure.ts';
import type { Sr25519 } from '#shared/primitives/signer.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import known from '#test/chain/wallet-files.json' with { type: 'json' };
import { parseKeyFile } from './key-file.ts';
import { seedOfPhrase } from './mnemonic.ts';
import { decryptAnsibleVault } from './node-ansible-vault.ts';
import { fernetKey, openFernet } from './node-fernet.ts';
import { naclKey, openNacl, sealNacl } from './node-nacl.ts';
import { createColdkey, createHotkey, listWallets, loadColdkey, loadHotkey, showWallet } from './node-wallets.ts';

const SLOW_MS = 60_000;
const coldkeyJson = JSON.parse(known.plain.coldkey) as Record<string, unknown> & { ss58Address: string };
const nobodyToAsk = async () => undefined;

let root: string;
let sr25519: Sr25519;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'filetao-wallets-'));
  sr25519 = await loadSr25519();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function taken<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.failure.code}: ${result.failure.message}`);
  return result.value;
}
function failureOf<F extends Failure>(result: Result<unknown, F>): F {
  if (result.ok) throw new Error('went well');
  return result.failure;
}

function place(wallet: string, files: Readonly<Record<string, string | Uint8Array>>) {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(root, wallet, 'hotkeys'), { recursive: true });
    writeFileSync(join(root, wallet, name), content, { mode: 0o600 });
  }
  return { root, wallet };
}

describe('key files of Bittensor wallets', () => {
  it('give the same key by phrase, seed or private key', async () => {
    const { secretPhrase, secretSeed, privateKey, ss58Address } = coldkeyJson;
    const message = utf8('hello');
    for (const fields of [{ secretPhrase }, { secretSeed }, { privateKey }, coldkeyJson]) {
      const { address, signer } = taken(await parseKeyFile(JSON.stringify(fields), sr25519, 'f'));
      expect(address).toBe(ss58Address);
      if (!signer) throw new Error('no signer');
      expect(sr25519.verify(message, signer.sign(message), signer.publicKey)).toBe(true);
    }
  });

  it('may hold an address alone', async () => {
    const key = taken(await parseKeyFile(known.plain.coldkeypub, sr25519, 'f'));
    expect(key).toEqual({ address: coldkeyJson.ss58Address, signer: undefined });
  });

  it('make the seed as Substrate does, whatever the spaces', async () => {
    const phrase = 'bottom drive obey lake curtain smoke basket hold race lonely fit walk';
    const alice = taken(await seedOfPhrase(`  ${phrase.replaceAll(' ', '\n ').toUpperCase()} `));
    // The development phrase of Substrate, without a path.
    expect(sr25519.signerFromSeed(alice).hotkey).toBe('5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV');
  });

  it.each([
    { id: 'no JSON', text: 'seed', code: 'bad-key-file' },
    { id: 'a list', text: '[]', code: 'bad-key-file' },
    { id: 'nothing', text: '{}', code: 'bad-key-file' },
    {
      id: 'a phrase with a wrong checksum',
      text: JSON.stringify({ secretPhrase: 'bottom '.repeat(12).trim() }),
      code: 'bad-key-file',
    },
    { id: 'a phrase of unknown words', text: '{"secretPhrase":"a b c d e f g h i j k l"}', code: 'bad-key-file' },
    { id: 'a short seed', text: '{"secretSeed":"0x1234"}', code: 'bad-key-file' },
    { id: 'an ed25519 key', text: '{"secretSeed":"0x00","cryptoType":0}', code: 'unsupported-key' },
    {
      id: 'a secret of another address',
      text: JSON.stringify({ ...coldkeyJson, ss58Address: '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY' }),
      code: 'bad-key-file',
    },
  ])('are refused: $id', async ({ text, code }) => {
    expect(failureOf(await parseKeyFile(text, sr25519, 'f')).code).toBe(code);
  });
});

describe('encrypted key files', () => {
  const nacl = fromBase64(known.nacl.base64) as Uint8Array;
  const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('utf8');

  it(
    'open: $NACL, by its own tool and by ours',
    async () => {
      const key = await naclKey(known.password);
      const { ss58Address } = known.nacl;
      expect(JSON.parse(text(await openNacl(nacl, key)) ?? '')).toMatchObject({ ss58Address });
      const own = await sealNacl('{"x":1}', key, systemRandom);
      expect(text(await openNacl(own, key))).toBe('{"x":1}');
      const changed = own.with(40, (own[40] ?? 0) ^ 1);
      const otherKey = new Uint8Array(32);
      const refused = [openNacl(changed, key), openNacl(own, otherKey), openNacl(nacl.subarray(0, 20), key)];
      expect(await Promise.all(refused)).toEqual([undefined, undefined, undefined]);
    },
    SLOW_MS,
  );

  it('open: Ansible vault, and nothing that was changed', async () => {
    expect(text(await decryptAnsibleVault(known.ansible, known.password))).toBe(known.plain.coldkey);
    const lines = known.ansible.trim().split('\n');
    const changed = [...lines.slice(0, -1), `${lines.at(-1)?.slice(0, -2)}00`].join('\n');
    for (const [file, password] of [
      [known.ansible, 'wrong'],
      [changed, known.password],
      [lines[0] as string, known.password],
      [known.ansible.replace('AES256', 'AES'), known.password],
      [`${lines[0]}\nzz`, known.password],
    ] as const) {
      expect(await decryptAnsibleVault(file, password)).toBeUndefined();
    }
  });

  it(
    'open: Fernet, and nothing that was changed',
    async () => {
      const key = await fernetKey(known.password);
      expect(text(await openFernet(known.fernet, key))).toBe(known.plain.coldkey);
      const changed = `${known.fernet.slice(0, 40)}A${known.fernet.slice(41)}`;
      for (const file of [changed, known.fernet.slice(0, 50), 'gAAAAA', `A${known.fernet.slice(1)}`]) {
        expect(await openFernet(file, key)).toBeUndefined();
      }
      expect(await openFernet(known.fernet, new Uint8Array(32))).toBeUndefined();
    },
    SLOW_MS,
  );
});

describe('wallet folders', () => {
  it('load plain hotkeys and encrypted coldkeys, asking only when there is need', async () => {
    const at = place('vault', { coldkey: known.ansible, 'hotkeys/h1': known.plain.hotkey });
    expect(
      taken(await loadHotkey({ ...at, hotkey: 'h1' }, sr25519, () => Promise.reject(new Error('asked')))).hotkey,
    ).toBe(JSON.parse(known.plain.hotkey).ss58Address);
    expect(taken(await loadColdkey(at, sr25519, async () => known.password)).hotkey).toBe(coldkeyJson.ss58Address);
    const wrong = failureOf(await loadColdkey(at, sr25519, async () => 'wrong'));
    expect(wrong).toMatchObject({ code: 'wrong-password', fault: 'caller' });
    expect(wrong.message).not.toContain('\n');
    expect(failureOf(await loadColdkey(at, sr25519, nobodyToAsk)).code).toBe('password-needed');
  });

  it('refuse what others can read, and say how to mend it', async () => {
    const at = place('open', { coldkey: known.plain.coldkey, 'hotkeys/h1': known.plain.hotkey });
    const path = join(root, 'open', 'hotkeys', 'h1');
    chmodSync(path, 0o644);
    const failure = failureOf(await loadHotkey({ ...at, hotkey: 'h1' }, sr25519, nobodyToAsk));
    expect(failure.code).toBe('readable-by-others');
    expect(failure.message).toContain(`chmod 600 ${path}`);
  });

  it('say what is missing and what to do', async () => {
    place('there', { 'coldkeypub.txt': known.plain.coldkeypub, coldkey: known.plain.coldkeypub });
    const missingWallet = failureOf(await loadHotkey({ root, wallet: 'nope', hotkey: 'h' }, sr25519, nobodyToAsk));
    expect(missingWallet.code).toBe('wallet-missing');
    expect(missingWallet.message).toMatch(/there are .*there.*filetao wallet create/);
    const missingHotkey = failureOf(await loadHotkey({ root, wallet: 'there', hotkey: 'h' }, sr25519, nobodyToAsk));
    expect(missingHotkey.code).toBe('key-missing');
    expect(missingHotkey.message).toContain('filetao wallet create');
    expect(failureOf(await loadColdkey({ root, wallet: 'there' }, sr25519, nobodyToAsk)).code).toBe('public-only');
    for (const wallet of ['../there', '', '.hidden', 'a/b', 'a\nb', '-rf', 'x'.repeat(65)]) {
      expect(failureOf(await loadColdkey({ root, wallet }, sr25519, nobodyToAsk)).code).toBe('bad-name');
    }
  });

  it('are made once, for their owner alone, and never written over', async () => {
    const at = { root, wallet: 'mine' };
    const coldkey = taken(await createColdkey(at, { random: systemRandom, words: 24 }));
    const hotkey = taken(await createHotkey({ ...at, hotkey: 'h1' }, { random: systemRandom }));
    expect(coldkey.phrase.split(' ')).toHaveLength(24);
    expect(hotkey.phrase.split(' ')).toHaveLength(12);
    expect(taken(await loadColdkey(at, sr25519, nobodyToAsk)).hotkey).toBe(coldkey.address);
    expect(taken(await loadHotkey({ ...at, hotkey: 'h1' }, sr25519, nobodyToAsk)).hotkey).toBe(hotkey.address);

    const modes = ['', 'hotkeys', 'coldkey', 'coldkeypub.txt', 'hotkeys/h1'].map(
      (name) => statSync(join(root, 'mine', name)).mode & 0o777,
    );
    expect(modes).toEqual([0o700, 0o700, 0o600, 0o600, 0o600]);
    const before = readFileSync(join(root, 'mine', 'coldkey'));
    expect(failureOf(await createColdkey(at, { random: systemRandom })).code).toBe('exists');
    expect(readFileSync(join(root, 'mine', 'coldkey'))).toEqual(before);
    expect(readdirSync(join(root, 'mine')).toSorted()).toEqual(['coldkey', 'coldkeypub.txt', 'hotkeys']);

    const again = taken(await createHotkey({ ...at, hotkey: 'h2' }, { random: systemRandom, phrase: hotkey.phrase }));
    expect(again.address).toBe(hotkey.address);
    const bad = await createHotkey({ ...at, hotkey: 'h3' }, { random: systemRandom, phrase: 'not a phrase' });
    expect(failureOf(bad).code).toBe('bad-phrase');
  });

  it('are shown without a password and without a secret', async () => {
    const at = place('shown', {
      coldkey: known.ansible,
      'coldkeypub.txt': known.plain.coldkeypub,
      'hotkeys/h1': known.plain.hotkey,
      'hotkeys/sealed': known.ansible,
      'hotkeys/broken': '{}',
    });
    const shown = taken(await showWallet(at, sr25519));
    expect(shown.coldkey).toEqual({ name: 'coldkey', address: coldkeyJson.ss58Address, encrypted: true });
    expect(shown.hotkeys).toMatchObject([
      { name: 'broken', address: undefined, problem: expect.stringContaining('holds neither') },
      { name: 'h1', address: JSON.parse(known.plain.hotkey).ss58Address, encrypted: false },
      { name: 'sealed', address: undefined, encrypted: true },
    ]);
    expect(JSON.stringify(shown)).not.toContain(String(coldkeyJson.secretSeed).slice(2));
    const listed = await listWallets(root, sr25519);
    expect(listed.map(({ name }) => name)).toContain('shown');
    expect(await listWallets(join(root, 'nowhere'), sr25519)).toEqual([]);
    expect(failureOf(await showWallet({ root, wallet: 'nope' }, sr25519)).code).toBe('wallet-missing');
  });
});
