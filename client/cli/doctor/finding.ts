/** What a check found, and how to mend it. Pure. */

export type State = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Finding {
  readonly check: string;
  readonly state: State;
  /** What was seen. */
  readonly seen: string;
  /** What to do; absent when there is nothing to do. */
  readonly mend?: string;
}

const MARKS: Readonly<Record<State, string>> = { ok: 'ok  ', warning: 'warn', failed: 'FAIL', skipped: '-   ' };

export function findingText({ check, state, seen, mend }: Finding): string {
  const line = `${MARKS[state]}  ${check}: ${seen}`;
  return mend === undefined ? line : `${line}\n        ${mend.replaceAll('\n', '\n        ')}`;
}

/** How the whole examination ends. */
export function verdictOf(findings: readonly Finding[]): { readonly failed: number; readonly warnings: number } {
  const count = (state: State) => findings.filter((finding) => finding.state === state).length;
  return { failed: count('failed'), warnings: count('warning') };
}
