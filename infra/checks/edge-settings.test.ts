/** wrangler.toml and docs/run-an-edge.md name exactly the settings that the edge reads, and nothing is preset that matters. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { unstable_readConfig } from 'wrangler';
import { readSettings, SETTING_NAMES } from '#edge/settings.ts';
import { hotkeyOf } from '#shared/primitives/ids.ts';

const toml = readFileSync('wrangler.toml', 'utf8');
const guide = readFileSync('docs/run-an-edge.md', 'utf8');

const production = unstable_readConfig({ config: 'wrangler.toml', env: 'production' });
const local = unstable_readConfig({ config: 'wrangler.toml' });
const secrets = [...toml.matchAll(/^#\s+([A-Z_]{5,}) {2,}/gm)].map(([, name = '']) => name);
const documented = [...guide.matchAll(/^\| `([A-Z_]+)` \| ([^|]+) \|/gm)].map(([, name = '', kind = '']) => ({
  name,
  kind: kind.trim().replaceAll('`', ''),
}));

const required = {
  UPSTASH_REDIS_REST_URL: 'https://index.example',
  UPSTASH_REDIS_REST_TOKEN: 'token',
  EDGE_HOTKEY_SEED: '11'.repeat(32),
  TENANT_HOTKEY: hotkeyOf(new Uint8Array(32).fill(5)),
  GENESIS_HASH: 'ab'.repeat(32),
  NETUID: '21',
  MASK_SECRETS: `0:${'33'.repeat(32)}`,
  MINER_URL_PATTERN: 'http://{ip-with-dashes}.miners.example.org:{port}',
};

const wrongOf = (environment: unknown): readonly string[] => {
  const outcome = readSettings(environment);
  return outcome.ok ? [] : [...new Set(outcome.wrong.map(({ setting }) => setting))].sort();
};

describe('docs/run-an-edge.md', () => {
  it('has every setting in its table, and no other', () => {
    expect(documented.map(({ name }) => name).sort()).toEqual([...SETTING_NAMES].sort());
  });
  it('says truly which are required, which are secret, and what the others are by default', () => {
    const needed = documented.filter(({ kind }) => kind === 'required' || kind === 'secret');
    expect(needed.map(({ name }) => name).sort()).toEqual(Object.keys(required).sort());
    expect(
      documented
        .filter(({ kind }) => kind === 'secret')
        .map(({ name }) => name)
        .sort(),
    ).toEqual(secrets.sort());
    const defaults = documented.filter((row) => !needed.includes(row) && row.kind !== 'none');
    const written = Object.fromEntries(defaults.map(({ name, kind }) => [name, kind]));
    expect(readSettings({ ...required, ...written })).toEqual(readSettings(required));
    expect(readSettings(required).ok).toBe(true);
  });
  it('calls only operators’ commands and npm scripts that are there', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    for (const [, path = ''] of guide.matchAll(/\bnode (infra\/\S+\.ts)/g))
      expect(() => readFileSync(path)).not.toThrow();
    for (const [, script = ''] of guide.matchAll(/npm run ([a-z:]+)/g)) expect(scripts).toHaveProperty([script]);
  });
});

describe('wrangler.toml', () => {
  it('as it stands makes a Worker that names what is missing', () => {
    expect(wrongOf(production.vars)).toEqual(Object.keys(required).sort());
  });
  it('presets nothing but settings, keeps secrets out, and works once both are filled in', () => {
    for (const name of Object.keys(production.vars)) {
      expect(SETTING_NAMES).toContain(name);
      expect(secrets).not.toContain(name);
    }
    expect([...Object.keys(production.vars), ...secrets]).toEqual(expect.arrayContaining(Object.keys(required)));
    expect(wrongOf({ ...production.vars, ...required })).toEqual([]);
  });
  it('gives production what the paid plan allows, and its logs', () => {
    expect(production.limits).toEqual({ cpu_ms: 300_000 });
    expect(production.observability).toMatchObject({ enabled: true });
    expect(production.preview_urls).toBe(false);
    expect(production.compatibility_date).toBe(local.compatibility_date);
    expect(production.compatibility_flags).toEqual(local.compatibility_flags);
  });
  it('leaves local development without settings of its own', () => {
    expect(local.vars).toEqual({});
  });
});
