import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CommandSpec } from './command-spec.ts';
import { LEAVING_FILE } from './commands/miner-leave.ts';
import { commandReference } from './reference.ts';
import { rootCommand } from './specs/root-command.ts';

const leaves = (spec: CommandSpec): readonly CommandSpec[] => (spec.commands ? spec.commands.flatMap(leaves) : [spec]);

it('docs/commands.md is what the program says: node client/cli/build-reference.ts writes it', () => {
  expect(readFileSync('docs/commands.md', 'utf8')).toBe(commandReference(rootCommand));
});

describe('every command', () => {
  it.each(leaves(rootCommand).map((spec) => [spec.name, spec] as const))(
    '%s loads, and has an example',
    async (_, spec) => {
      expect(await spec.load?.()).toBeTypeOf('function');
      expect(spec.examples?.length).toBeGreaterThan(0);
      expect(spec.about).not.toMatch(/\.$/);
    },
  );
});

it('miners and their command agree on the file that announces leaving', () => {
  expect(existsSync('miner/leaving.ts')).toBe(true);
  expect(readFileSync('miner/leaving.ts', 'utf8')).toContain(`FILE = '${LEAVING_FILE}'`);
});
