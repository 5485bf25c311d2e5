/**
 * Vitest's own reporter plus one plain last line, `N passed, N failed` (and `, N skipped` where there are any), for
 * people and for scripts that read only the end of a log. A test file that could not be loaded and an error outside
 * any test count as one failure each: a run must not look whole when a part of it never ran.
 */
import { DefaultReporter, type Reporter, type TestModule } from 'vitest/node';

type RunEnd = Parameters<NonNullable<Reporter['onTestRunEnd']>>;

export interface RunCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Counts tests, suites and files that failed on their own (a broken hook or import), and errors outside all of them. */
export function countRun(testModules: readonly TestModule[], errorsOutside: number): RunCounts {
  const counts = { passed: 0, failed: errorsOutside, skipped: 0 };
  for (const testModule of testModules) {
    if (testModule.errors().length > 0) counts.failed++;
    for (const suite of testModule.children.allSuites()) if (suite.errors().length > 0) counts.failed++;
    for (const test of testModule.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') counts.passed++;
      else if (state === 'failed') counts.failed++;
      else counts.skipped++;
    }
  }
  return counts;
}

export const lastLine = ({ passed, failed, skipped }: RunCounts): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;

export class LastLineReporter extends DefaultReporter {
  override onTestRunEnd(...[testModules, unhandledErrors, reason]: RunEnd): void {
    super.onTestRunEnd(testModules, unhandledErrors, reason);
    const counts = countRun(testModules, unhandledErrors.length);
    // A run without tests, or one that was broken off, is no success whatever was counted.
    if (counts.failed > 0 || counts.passed === 0 || reason === 'interrupted') process.exitCode = 1;
    process.stdout.write(`${lastLine(counts)}\n`);
  }
}
