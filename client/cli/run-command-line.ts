/**
 * From words to an exit code: finds the command, runs it, and turns whatever goes wrong into one line (or one JSON
 * object) and a code of `exit-codes.ts`. Called by `main.ts` and by tests.
 */
import { CommanderError } from 'commander';
import { buildProgram } from './build-program.ts';
import { asFailed, CommandFailed, usageError } from './command-failed.ts';
import type { Cli } from './command-spec.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { Given } from './given.ts';
import { placesOf } from './settings/places.ts';
import { rootCommand } from './specs/root-command.ts';
import { Output } from './terminal/output.ts';
import { createPrompt } from './terminal/prompt.ts';

export interface ProcessLike {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly version: string;
  readonly signal: AbortSignal;
}

export async function runCommandLine(words: readonly string[], process: ProcessLike): Promise<ExitCode> {
  const { environment, stdin, stdout, stderr, signal } = process;
  const color = stdout.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb';
  const makeOutput = (json: boolean, quiet: boolean) => new Output({ stdout, stderr, json, quiet, color });
  // Until the options are read: a mistake in them is told the way they ask for.
  let out = makeOutput(words.includes('--json'), false);
  const program = buildProgram(
    rootCommand,
    process.version,
    async (spec, args, values) => {
      if (!spec.load) return;
      const given = new Given(args, values);
      out = makeOutput(given.flag('json'), given.flag('quiet'));
      const prompt = createPrompt({ input: stdin, output: stderr, enabled: !out.json, signal });
      const cli: Cli = {
        out,
        prompt,
        places: placesOf(environment),
        environment,
        workingFolder: process.workingFolder,
        stdin,
        stdout,
        signal,
      };
      const run = await spec.load();
      await run(cli, given);
    },
    { writeOut: (text) => void stdout.write(text), columns: stdout.columns },
  );
  try {
    await program.parseAsync(words.length === 0 ? ['--help'] : [...words], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (signal.aborted) {
      out.failure(new CommandFailed('interrupted', 'interrupted', EXIT.interrupted));
      return EXIT.interrupted;
    }
    const failed = error instanceof CommanderError ? ofCommander(error) : asFailed(error);
    if (!failed) return EXIT.ok;
    out.failure(failed);
    if (failed.code === 'internal' && environment.FILETAO_DEBUG && error instanceof Error)
      stderr.write(`${error.stack}\n`);
    return failed.exit;
  }
}

/** Undefined when it was no mistake: help or the version was asked for. */
function ofCommander(error: CommanderError): CommandFailed | undefined {
  if (error.exitCode === 0) return undefined;
  if (error.code === 'commander.help') return usageError('which of its commands? See --help');
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  return usageError(first, rest.join('\n') || undefined);
}
