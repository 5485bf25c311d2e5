import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Given } from '../given.ts';
import { chooseEdge, chooseEdgeWithKey, writeLogin } from './edge-choice.ts';
import { placesOf } from './places.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'filetao-choice-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const FLAG = { url: 'https://flag.example' };
const ENVIRONMENT = { FILETAO_URL: 'https://env.example/', FILETAO_API_KEY: 'env-key' };

const world = (environment: Readonly<Record<string, string>> = {}) => ({
  places: placesOf({ HOME: folder }),
  environment,
  workingFolder: join(folder, 'deep', 'down'),
});
const given = (values = {}) => new Given([], values);

function localNetwork(url = 'http://127.0.0.1:8787') {
  mkdirSync(join(folder, '.filetao'));
  writeFileSync(join(folder, '.filetao', 'network.json'), JSON.stringify({ edge: { url, apiKey: 'local-key' } }));
}

describe('which edge', () => {
  it('the flag, then the environment, then the login, then a local network further up', async () => {
    localNetwork();
    expect(await chooseEdge(world(), given())).toMatchObject({ urlFrom: 'local network', apiKey: 'local-key' });
    await writeLogin(world().places, { url: 'https://login.example', keys: { 'https://login.example': 'login-key' } });
    expect(await chooseEdge(world(), given())).toMatchObject({ urlFrom: 'login', apiKey: 'login-key' });
    expect(await chooseEdge(world(ENVIRONMENT), given())).toEqual({
      url: 'https://env.example',
      urlFrom: 'environment',
      apiKey: 'env-key',
      keyFrom: 'environment',
    });
    expect(await chooseEdge(world(), given(FLAG))).toMatchObject({ url: 'https://flag.example', urlFrom: 'flag' });
  });

  it('never sends the key of one edge to another', async () => {
    localNetwork();
    await writeLogin(world().places, { url: 'https://login.example', keys: { 'https://login.example': 'login-key' } });
    expect((await chooseEdge(world(), given(FLAG))).apiKey).toBeUndefined();
    expect((await chooseEdge(world({ FILETAO_URL: 'https://other.example' }), given())).apiKey).toBeUndefined();
    await expect(chooseEdgeWithKey(world(), given(FLAG))).rejects.toMatchObject({ code: 'no-api-key', exit: 4 });
  });

  it('a variable that is set to nothing is not set', async () => {
    localNetwork();
    expect(await chooseEdge(world({ FILETAO_URL: '', FILETAO_API_KEY: '' }), given())).toMatchObject({
      urlFrom: 'local network',
      keyFrom: 'local network',
    });
  });

  it('refuses settings that others can read, or that are damaged', async () => {
    const path = join(folder, '.config', 'filetao');
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'settings.json'), '{}', { mode: 0o644 });
    await expect(chooseEdge(world(), given())).rejects.toMatchObject({ code: 'readable-by-others', exit: 4 });
    rmSync(join(path, 'settings.json'));
    writeFileSync(join(path, 'settings.json'), '{"keys":', { mode: 0o600 });
    await expect(chooseEdge(world(), given())).rejects.toMatchObject({ code: 'damaged-settings' });
  });

  it('a network.json that is half written is no network', async () => {
    mkdirSync(join(folder, '.filetao'));
    writeFileSync(join(folder, '.filetao', 'network.json'), '{"edge":');
    await expect(chooseEdge(world(), given())).rejects.toMatchObject({ code: 'usage', message: 'no edge is known' });
  });
});
