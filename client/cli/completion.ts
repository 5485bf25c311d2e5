/**
 * Completion scripts for bash, zsh and fish, made of the specs: commands, options, the words that options take, and
 * files. Static text: the shell asks nothing while one types. Pure.
 */
import { COMMON_OPTIONS } from './build-program.ts';
import type { CommandSpec, Option } from './command-spec.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface Node {
  /** "filetao miner stats". */
  readonly path: string;
  readonly words: readonly { readonly word: string; readonly about: string }[];
  readonly options: readonly Option[];
}

const visible = (options: readonly Option[]): readonly Option[] => options.filter(({ hidden }) => !hidden);

/** "-o, --output <file>" → ["-o", "--output"]. */
export const namesOf = ({ flags }: Option): readonly string[] =>
  flags.split(/[ ,]+/).filter((part) => part.startsWith('-'));
const takesValue = ({ flags }: Option): boolean => /[<[]/.test(flags);

/** Every command under each of its names: aliases complete like the command itself. */
function nodesOf(spec: CommandSpec, path: string): readonly Node[] {
  const commands = spec.commands ?? [];
  const options = visible([...(spec.options ?? []), ...(spec.load ? COMMON_OPTIONS : [])]);
  const words = commands.map(({ name, about }) => ({ word: name, about }));
  const inner = commands.flatMap((command) =>
    [command.name, ...(command.alias ? [command.alias] : [])].flatMap((name) => nodesOf(command, `${path} ${name}`)),
  );
  return [{ path, words, options }, ...inner];
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function bash(nodes: readonly Node[]): string {
  const choices = new Map(
    nodes
      .flatMap(({ options }) =>
        options.flatMap((option) => (option.choices ? [[namesOf(option), option.choices] as const] : [])),
      )
      .map(([names, words]) => [names.at(-1) ?? '', words]),
  );
  const cases = nodes.map(({ path, words, options }) => {
    const all = [...words.map(({ word }) => word), ...options.flatMap(namesOf), '--help'];
    return `    ${quote(path)}) words=${quote(all.join(' '))} ;;`;
  });
  const values = [...choices].map(
    ([name, words]) => `    ${name}) COMPREPLY=($(compgen -W ${quote(words.join(' '))} -- "$current")); return ;;`,
  );
  return `# filetao completion for bash: source <(filetao completion bash)
_filetao() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path=filetao word words=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " \${_filetao_paths} " in *" \${path// /_}_$word "*) path="$path $word" ;; esac
  done
  case "$previous" in
${values.join('\n')}
  esac
  case "$path" in
${cases.join('\n')}
  esac
  if [[ "$current" == -* || "$words" != -* && -n "$words" ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
_filetao_paths=${quote(nodes.map(({ path }) => path.replaceAll(' ', '_')).join(' '))}
complete -o default -F _filetao filetao
`;
}

function zsh(nodes: readonly Node[]): string {
  const escapeColons = (text: string) => text.replace(/[:\\]/g, '\\$&');
  const cases = nodes.map(({ path, words, options }) => {
    const all = [
      ...words.map(({ word, about }) => `${word}:${escapeColons(about)}`),
      ...options.flatMap((option) =>
        namesOf(option).map((name) => `${escapeColons(name)}:${escapeColons(option.about)}`),
      ),
    ];
    return `    ${quote(path)}) entries=(${all.map(quote).join(' ')}) ;;`;
  });
  return `#compdef filetao
# filetao completion for zsh: filetao completion zsh > a folder of your fpath, as _filetao
_filetao() {
  local line=filetao word entries=()
  local paths=${quote(` ${nodes.map(({ path }) => path.replaceAll(' ', '_')).join(' ')} `)}
  for word in \${words[2,CURRENT-1]}; do
    [[ $paths == *" \${line// /_}_$word "* ]] && line="$line $word"
  done
  case $line in
${cases.join('\n')}
  esac
  _describe command entries
  _files
}
if [[ "\${funcstack[1]}" == _filetao ]]; then _filetao "$@"; else compdef _filetao filetao; fi
`;
}

function fish(nodes: readonly Node[]): string {
  const paths = nodes.map(({ path }) => path.replaceAll(' ', '_')).join(' ');
  const lines = nodes.flatMap(({ path, words, options }) => {
    const when = `-n ${quote(`test (__filetao_path) = "${path}"`)}`;
    const commands = words.map(({ word, about }) => `complete -c filetao -f ${when} -a ${word} -d ${quote(about)}`);
    const flags = options.map((option) => {
      const names = namesOf(option).map((name) =>
        name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
      );
      const value = option.choices ? ` -x -a ${quote(option.choices.join(' '))}` : takesValue(option) ? ' -r' : '';
      return `complete -c filetao ${when} ${names.join(' ')}${value} -d ${quote(option.about)}`;
    });
    return [...commands, ...flags];
  });
  return `# filetao completion for fish: filetao completion fish > ~/.config/fish/completions/filetao.fish
function __filetao_path
  set -l paths ${paths}
  set -l path filetao
  for word in (commandline -opc)[2..-1]
    if contains -- (string replace -a ' ' '_' -- "$path $word") $paths
      set path "$path $word"
    end
  end
  echo $path
end
${lines.join('\n')}
`;
}

export function completionScript(shell: Shell, root: CommandSpec): string {
  const nodes = nodesOf(root, root.name);
  return { bash, zsh, fish }[shell](nodes);
}
