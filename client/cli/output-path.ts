/**
 * Where `get` writes: what was asked for, else the file's own name in the current folder. Names come from the network:
 * they are one plain component of a path, or they are not used. Pure.
 */
import { parseFileName } from '#shared/api/file-name.ts';

/** Undefined: standard output. */
export type OutputPath = { readonly path: string } | { readonly path: undefined };

interface Wanted {
  readonly output: string | undefined;
  /** The original's folder for everything it gets. */
  readonly folder: string | undefined;
  readonly isFolder: (path: string) => boolean;
}

/** @param names of the file, best first @param join of paths, resolved against the current folder */
export function outputPath(
  { output, folder, isFolder }: Wanted,
  names: readonly (string | undefined)[],
  join: (...parts: readonly string[]) => string,
): OutputPath {
  if (output === '-') return { path: undefined };
  const name = names.find((candidate) => candidate !== undefined && parseFileName(candidate).ok) ?? 'file';
  if (output === undefined) return { path: folder === undefined ? join(name) : join(folder, name) };
  const path = folder === undefined ? join(output) : join(folder, output);
  return { path: output.endsWith('/') || isFolder(path) ? join(path, name) : path };
}
