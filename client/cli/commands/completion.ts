/** `filetao completion SHELL`. */

import { usageError } from '../command-failed.ts';
import type { CommandSpec, Run } from '../command-spec.ts';
import { completionScript, SHELLS, type Shell } from '../completion.ts';

const isShell = (text: string): text is Shell => (SHELLS as readonly string[]).includes(text);

export const completionOf =
  (root: CommandSpec): Run =>
  async ({ out }, given) => {
    const shell = given.one(0, 'the shell');
    if (!isShell(shell))
      throw usageError(`the shell must be one of ${SHELLS.join(', ')}, not ${JSON.stringify(shell)}`);
    const script = completionScript(shell, root);
    out.result({ shell, script }, script.trimEnd());
  };
