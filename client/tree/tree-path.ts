/**
 * Paths inside a directory's listing. A listing comes from somebody who may mean harm: nothing in it may lead out of the
 * folder that it is restored to, and no two entries may fight over one place.
 */
import { utf8 } from '#shared/primitives/bytes.ts';

/** PATH_MAX and NAME_MAX of Linux. */
const MAX_PATH_BYTES = 4096;
const MAX_COMPONENT_BYTES = 255;

/** Relative, with single "/" between names that are neither empty nor "." nor "..", and no NUL. */
export function isSafePath(path: string): boolean {
  if (!path.isWellFormed() || path.includes('\0') || utf8(path).length > MAX_PATH_BYTES) return false;
  return path
    .split('/')
    .every((name) => name !== '' && name !== '.' && name !== '..' && utf8(name).length <= MAX_COMPONENT_BYTES);
}

/** The folders above a path, outermost first. */
export function parentsOf(path: string): readonly string[] {
  const names = path.split('/');
  return names.slice(1).map((_, i) => names.slice(0, i + 1).join('/'));
}

/** True when a link at `path` to `target` stays inside the tree, by its text alone. */
export function linkStaysInside(path: string, target: string): boolean {
  if (target === '' || target.startsWith('/') || target.includes('\0') || target.includes('\\')) return false;
  const place = path.split('/').slice(0, -1);
  for (const name of target.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') place.push(name);
    else if (place.pop() === undefined) return false;
  }
  return true;
}
