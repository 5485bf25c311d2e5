/**
 * Reads the whole import graph of a tree and says what `layers.rules.ts` forbids in it; `npm run check:layers` is
 * `layers.ts`. A cruiser that finds no compiler, or resolves none of our subpath imports, reports an empty graph and
 * no violation: so the graph must hold every TypeScript file of the tree, and lead somewhere.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import { LAYER_RULES } from './layers.rules.ts';

const ROOTS = ['shared', 'edge', 'miner', 'validator', 'client', 'web', 'infra', 'test', 'bench'];
const SKIPPED = /(^|\/)(node_modules|\.wrangler|dist)\//;

export interface LayerReport {
  readonly files: number;
  readonly imports: number;
  /** One line each; empty when all is well. */
  readonly complaints: readonly string[];
}

/** @param treeDir the folder with `package.json` and `tsconfig.json` */
export async function checkLayers(treeDir: string): Promise<LayerReport> {
  const sources = globSync(['*.ts', `{${ROOTS.join(',')}}/**/*.ts`], { cwd: treeDir }).filter(
    (path) => !SKIPPED.test(path),
  );
  if (sources.length === 0) return { files: 0, imports: 0, complaints: ['no TypeScript found'] };
  const tsConfigFile = join(treeDir, 'tsconfig.json');
  const { output } = await cruise(
    sources,
    {
      baseDir: treeDir,
      ruleSet: { forbidden: [...LAYER_RULES] },
      validate: true,
      tsPreCompilationDeps: true,
      tsConfig: { fileName: tsConfigFile },
      doNotFollow: { path: 'node_modules' },
      combinedDependencies: true,
    },
    { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
    { tsConfig: extractTsConfig(tsConfigFile) },
  );
  const { modules, summary } = output as ICruiseResult;
  const seen = new Set(modules.map((module) => module.source));
  const missed = sources.filter((path) => !seen.has(path));
  const imports = modules.reduce((sum, module) => sum + module.dependencies.length, 0);

  const complaints = summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
  complaints.push(...missed.map((path) => `not in the graph: ${path}`));
  // Fewer imports than half the files: nothing was resolved, whatever the rules then say.
  if (2 * imports < sources.length) {
    complaints.push(`only ${imports} imports in ${sources.length} files: the graph was not read`);
  }
  return { files: sources.length, imports, complaints };
}
