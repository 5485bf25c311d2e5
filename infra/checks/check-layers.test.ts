import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkLayers } from './check-layers.ts';

let tree: string;

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'filetao-layers-'));
  cpSync('package.json', join(tree, 'package.json'));
  const { compilerOptions } = JSON.parse(readFileSync('tsconfig.json', 'utf8'));
  writeFileSync(join(tree, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['**/*.ts'] }));
  symlinkSync(resolve('node_modules'), join(tree, 'node_modules'));
});
afterEach(() => rmSync(tree, { recursive: true, force: true }));

async function complaintsOf(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  return (await checkLayers(tree)).complaints;
}

const leaf = 'export const leaf = 1;\n';
const uses = (path: string) => `import { leaf } from '${path}';\nexport const used = leaf;\n`;

describe('the layer lint', () => {
  it('accepts flows over ports, adapters over libraries, and tests that reach for anything', async () => {
    const files = {
      'shared/primitives/bytes.ts': leaf,
      'shared/proof/anchor.ts': uses('#shared/primitives/bytes.ts'),
      'shared/index/ports.ts': 'export interface Port {}\n',
      'shared/codec/node-kernel.ts': `import { readFileSync } from 'node:fs';\nexport const read = readFileSync;\n`,
      'miner/flows/store.ts': `import type { Port } from '#shared/index/ports.ts';\nexport type P = Port;\n`,
      'miner/flows/store.test.ts': uses('#edge/app.ts'),
      'edge/app.ts': uses('#shared/proof/anchor.ts').replace('{ leaf }', '{ used as leaf }'),
    };
    expect(await complaintsOf(files)).toEqual([]);
  });

  it.each([
    { rule: 'pure-imports-pure', from: 'shared/proof/a.ts', to: 'shared/wire/b.ts' },
    { rule: 'primitives-stand-alone', from: 'shared/primitives/a.ts', to: 'shared/codec/b.ts' },
    { rule: 'pure-knows-no-program', from: 'shared/wire/a.ts', to: 'miner/b.ts' },
    { rule: 'shared-imports-no-node-file', from: 'shared/wire/a.ts', to: 'shared/codec/node-b.ts' },
    { rule: 'programs-stand-alone', from: 'edge/a.ts', to: 'miner/b.ts' },
    { rule: 'programs-stand-alone', from: 'infra/a.ts', to: 'validator/b.ts' },
    { rule: 'flows-take-ports', from: 'validator/flows/a.ts', to: 'shared/index/redis-index.ts' },
    { rule: 'nobody-imports-main', from: 'miner/server/a.ts', to: 'miner/main.ts' },
    { rule: 'no-tests-in-programs', from: 'miner/server/a.ts', to: 'shared/testing/b.ts' },
  ])('refuses $from → $to ($rule)', async ({ rule, from, to }) => {
    expect(await complaintsOf({ [from]: uses(`#${to}`), [to]: leaf })).toContain(`${rule}: ${from} → ${to}`);
  });

  it.each([
    { rule: 'shared-runs-everywhere', from: 'shared/wire/a.ts', text: `import { join } from 'node:path';` },
    { rule: 'pure-imports-pure', from: 'shared/codec/a.ts', text: `import { join } from 'node:path';` },
    { rule: 'domain-is-pure', from: 'validator/domain/a.ts', text: `import { join } from 'node:path';` },
    { rule: 'flows-take-ports', from: 'edge/flows/a.ts', text: `import { Hono as join } from 'hono';` },
    { rule: 'no-dev-dependencies-in-programs', from: 'edge/a.ts', text: `import { build as join } from 'esbuild';` },
    { rule: 'resolvable', from: 'edge/a.ts', text: `import { join } from '#shared/nowhere.ts';` },
  ])('refuses $text in $from ($rule)', async ({ rule, from, text }) => {
    const complaints = await complaintsOf({ [from]: `${text}\nexport const used = join;\n` });
    expect(complaints.join('\n')).toContain(`${rule}: ${from} → `);
  });

  it('refuses modules in a circle', async () => {
    const complaints = await complaintsOf({
      'edge/a.ts': `import { b } from './b.ts';\nexport const a = () => b;\n`,
      'edge/b.ts': `import { a } from './a.ts';\nexport const b = () => a;\n`,
    });
    expect(complaints.join('\n')).toContain('no-cycles: ');
  });

  it('refuses a graph that nobody read', async () => {
    expect((await complaintsOf({ 'edge/a.ts': leaf, 'edge/b.ts': leaf })).join('\n')).toContain('was not read');
    rmSync(join(tree, 'edge'), { recursive: true });
    expect(await complaintsOf({})).toEqual(['no TypeScript found']);
  });
});
