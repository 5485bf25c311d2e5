/** Commander's program out of the specs: help with examples, aliases, suggestions, and one way to every action. */
import { Command, Option as CommanderOption } from 'commander';
import type { CommandSpec, Option } from './command-spec.ts';

/** Of every command. */
export const COMMON_OPTIONS: readonly Option[] = [
  { flags: '--json', about: 'print one JSON document, for scripts' },
  { flags: '-q, --quiet', about: 'no notes and no progress' },
];

export type Dispatch = (
  spec: CommandSpec,
  args: readonly string[],
  values: Readonly<Record<string, unknown>>,
) => Promise<void>;

interface Streams {
  readonly writeOut: (text: string) => void;
  readonly columns: number | undefined;
}

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];

function addOption(command: Command, { flags, about, many, hidden, choices }: Option): void {
  const option = new CommanderOption(flags, about);
  if (many) option.argParser(collect);
  if (choices) option.choices(choices);
  if (hidden) option.hideHelp();
  command.addOption(option);
}

export const examplesText = (spec: CommandSpec): string => {
  const { examples = [] } = spec;
  if (examples.length === 0) return '';
  const width = Math.max(...examples.map(({ command }) => command.length));
  const lines = examples.map(({ command, about }) =>
    width > 60 ? `  ${command}\n      ${about}` : `  ${command.padEnd(width)}  ${about}`,
  );
  return `\nExamples:\n${lines.join('\n')}`;
};

function build(spec: CommandSpec, dispatch: Dispatch, streams: Streams): Command {
  const command = new Command(spec.name).summary(spec.about);
  command.description(spec.details === undefined ? spec.about : `${spec.about}\n\n${spec.details}`);
  command.exitOverride().configureOutput({
    writeOut: streams.writeOut,
    // What is wrong is told once, by whoever catches the error.
    writeErr: () => undefined,
    ...(streams.columns !== undefined && { getOutHelpWidth: () => streams.columns as number }),
  });
  command.helpOption('-h, --help', 'show this');
  if (spec.alias) command.alias(spec.alias);
  if (spec.group) command.helpGroup(spec.group);
  for (const { usage, about } of spec.args ?? []) command.argument(usage, about);
  for (const option of [...(spec.options ?? []), ...(spec.commands ? [] : COMMON_OPTIONS)]) addOption(command, option);
  const examples = examplesText(spec);
  if (examples) command.addHelpText('after', examples);
  if (spec.commands) {
    command.helpCommand(false);
    for (const inner of spec.commands) command.addCommand(build(inner, dispatch, streams));
  }
  if (spec.load) {
    command.action(async () => {
      await dispatch(spec, command.args, command.optsWithGlobals());
    });
  }
  return command;
}

export function buildProgram(root: CommandSpec, version: string, dispatch: Dispatch, streams: Streams): Command {
  const program = build(root, dispatch, streams);
  program.version(version, '-V, --version', 'show the version').helpCommand('help [command]', 'show help of a command');
  for (const option of COMMON_OPTIONS) addOption(program, option);
  return program;
}
