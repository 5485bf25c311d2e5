/**
 * Where the command keeps things, by the XDG base directory specification: settings and keys, data that another
 * machine can make anew, and journals of what is under way. All of it readable by its owner alone.
 */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

export interface Places {
  /** Edge, API keys, identity. */
  readonly config: string;
  /** Names of files. */
  readonly data: string;
  /** Journals of uploads. */
  readonly state: string;
}

export function placesOf(environment: Readonly<Record<string, string | undefined>>): Places {
  const home = environment.HOME || homedir();
  // The specification: a relative path is to be ignored.
  const base = (variable: string, ...fallback: readonly string[]) => {
    const path = environment[variable];
    return join(path && isAbsolute(path) ? path : join(home, ...fallback), 'filetao');
  };
  return {
    config: base('XDG_CONFIG_HOME', '.config'),
    data: base('XDG_DATA_HOME', '.local', 'share'),
    state: base('XDG_STATE_HOME', '.local', 'state'),
  };
}
