/** What can be held of the container files without building anything; `npm run containers` builds and runs them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hotkeyOf } from '#shared/primitives/ids.ts';
import { parseSettings } from '#validator/settings.ts';
import { workerdConfig, workerdEntry } from './workerd-config.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const DOCKERFILES = ['miner/Dockerfile', 'validator/Dockerfile', 'infra/gateway/Dockerfile', 'edge/Dockerfile'];
const compose = read('infra/compose.yaml');
const example = read('infra/example.env');

describe.each(DOCKERFILES)('%s', (path) => {
  const text = read(path);
  const [, final = ''] = text.split(/^FROM \$\{BASE\}$/m);

  it('has a base that can be chosen, for both of its stages', () => {
    expect(text).toMatch(/^ARG BASE=debian:bookworm-slim$/m);
    const stages = [...text.matchAll(/^FROM (.*)/gm)].map(([, from]) => from?.replace('$', ''));
    expect(stages).toEqual(['{BASE} AS build', '{BASE}']);
  });
  it('shares its first stage with the others, so that it is built once', () => {
    const first = (of: string) => /^# Everything is built here[\s\S]*?(?=^FROM \$\{BASE\}$)/m.exec(of)?.[0];
    expect(first(text)).toBeDefined();
    expect(first(text)).toBe(first(read('miner/Dockerfile')));
  });
  it('runs as nobody in particular, says how it is, and is ended by SIGTERM', () => {
    expect(final).toMatch(/^USER 10001:10001$/m);
    expect(final).toMatch(/^HEALTHCHECK .*\\\n {2}CMD \["/m);
    expect(final).toMatch(/^STOPSIGNAL SIGTERM$/m);
    // The exec form: a shell in between would not hand the signal on.
    expect(final).toMatch(/^ENTRYPOINT \["\//m);
  });
  it('keeps all that it keeps in one volume', () => {
    const volumes = [...final.matchAll(/^VOLUME (.*)$/gm)].map(([, at]) => at);
    expect(volumes).toEqual(path === 'edge/Dockerfile' ? [] : ['/data']);
  });
});

describe('infra/compose.yaml', () => {
  const names = new Set([...compose.matchAll(/(?<!\$)\$\{([A-Z_]+)/g)].map(([, name]) => name));
  const offered = new Set([...example.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name));

  it('takes what infra/example.env offers, and nothing else', () => {
    expect([...names].sort()).toEqual([...offered].sort());
  });
  it('keeps the original’s names', () => {
    for (const name of ['BT_WALLETS_PATH', 'FILETAO_WALLET', 'FILETAO_HOTKEY', 'FILETAO_MINER_DATA_DIR']) {
      expect(offered).toContain(name);
    }
    expect(offered).toContain('FILETAO_SUBTENSOR');
    expect(offered).toContain('FILETAO_NETUID');
  });
  it('gives Redis a password and an append-only file, and nobody but the gateway a way to it', () => {
    expect(compose).toMatch(/--appendonly yes .*--requirepass/);
    expect([...compose.matchAll(/networks: \[redis/g)].length).toBe(2);
    expect(compose).toMatch(/redis: \{ internal: true \}/);
  });
  it('builds every image from the Dockerfile that is there', () => {
    const named = [...compose.matchAll(/dockerfile: ([^ ]+) /g)].map(([, path]) => path);
    expect(named.sort()).toEqual([...DOCKERFILES].sort());
  });
});

it('infra/validator.example.json, filled in, is what a validator takes', () => {
  const hotkey = hotkeyOf(new Uint8Array(32).fill(1));
  const filled = read('infra/validator.example.json')
    .replace(/"<hash[^"]*"/, `"${'ab'.repeat(32)}"`)
    .replaceAll(/"<hotkey[^"]*"/g, `"${hotkey}"`);
  const settings = parseSettings(filled);
  expect(settings.dataDir).toBe('/data');
  expect(settings.retrieve.edges).toEqual([{ hotkey, url: 'http://edge:8787' }]);
});

describe('workerd’s configuration', () => {
  const modules = [
    { type: 'ESModule', path: 'worker.js', contents: '' },
    { type: 'CompiledWasm', path: 'x-kernel.wasm', contents: new Uint8Array(0) },
  ] as const;
  const config = workerdConfig(modules, { date: '2026-10-23', flags: ['a'] }, ['NETUID']);

  it('embeds every module of the Worker, and takes every setting from the environment', () => {
    expect(config).toContain('(name = "worker.js", esModule = embed "worker.js")');
    expect(config).toContain('(name = "x-kernel.wasm", wasm = embed "x-kernel.wasm")');
    expect(config).toContain('(name = "NETUID", fromEnvironment = "NETUID")');
    expect(config).toContain('compatibilityDate = "2026-10-23"');
  });
  it('hands the Worker only settings that are set', async () => {
    const seen: unknown[] = [];
    const entry = workerdEntry(['A', 'B', 'C']).replace("import edge from './worker.js';", '');
    const make = new Function('edge', `${entry.replace('export default', 'return')}`);
    const worker = make({ fetch: (_: unknown, environment: unknown) => seen.push(environment) });
    worker.fetch(undefined, { A: '1', B: null, C: '', D: 'no' }, undefined);
    expect(seen).toEqual([{ A: '1' }]);
  });
});
