/** The reference of all commands, `docs/commands.md`, out of the specs that commander runs on. Pure. */
import { COMMON_OPTIONS } from './build-program.ts';
import type { CommandSpec, Option } from './command-spec.ts';
import { EXIT_MEANINGS } from './exit-codes.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const visible = (options: readonly Option[] = []): readonly Option[] => options.filter(({ hidden }) => !hidden);

const rows = (pairs: readonly (readonly [string, string])[]): string =>
  ['| | |', '|---|---|', ...pairs.map(([name, about]) => `| \`${cell(name)}\` | ${cell(about)} |`)].join('\n');

function section(spec: CommandSpec, path: string): readonly string[] {
  if (spec.commands) return spec.commands.flatMap((command) => section(command, `${path} ${command.name}`));
  const parts = [`### ${path}${(spec.args ?? []).map(({ usage }) => ` ${usage}`).join('')}`, `${spec.about}.`];
  if (spec.details) parts.push(spec.details.replaceAll('\n', ' '));
  const words = [
    ...(spec.args ?? []).map(({ usage, about }) => [usage, about] as const),
    ...visible(spec.options).map(({ flags, about }) => [flags, about] as const),
  ];
  if (words.length > 0) parts.push(rows(words));
  const examples = (spec.examples ?? []).map(({ command, about }) => (about ? `${command}   # ${about}` : command));
  if (examples.length > 0) parts.push(['```sh', ...examples, '```'].join('\n'));
  return parts;
}

export function commandReference(root: CommandSpec): string {
  const groups = [...new Set((root.commands ?? []).map(({ group }) => group ?? 'Others:'))];
  const aliases = (root.commands ?? []).flatMap(({ name, alias }) => (alias ? [`\`${alias}\` (${name})`] : []));
  const body = groups.flatMap((group) => [
    `## ${group.replace(/:$/, '')}`,
    ...(root.commands ?? [])
      .filter((command) => (command.group ?? 'Others:') === group)
      .flatMap((command) => section(command, `filetao ${command.name}`)),
  ]);
  const head = [
    '# Commands of `filetao`',
    'Made from the program itself by `node client/cli/build-reference.ts`; a test holds the two together.',
    `Every command takes ${COMMON_OPTIONS.map(({ flags, about }) => `\`${flags}\` (${about})`).join(', ')} and \`--help\`. Short names of groups: ${aliases.join(', ')}.`,
    '## Exit codes',
    rows(EXIT_MEANINGS.map(([code, meaning]) => [String(code), meaning])),
    'With `--json` the result is one JSON document on standard output; a failure leaves it empty and is one JSON object on standard error: `{"error":{"code","message","hint","exit"}}`.',
  ];
  return `${[...head, ...body].join('\n\n')}\n`;
}
