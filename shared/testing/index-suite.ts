/**
 * What holds for every index: the contract of `shared/index/ports.ts` as tests. An adapter's own test hands over a way
 * to open it. Clients are separate, as two edges are; time can be set forward.
 */
import { afterAll, beforeAll, describe } from 'vitest';
import type { AccessIndex, FileIndex, MinerDirectory } from '#shared/index/ports.ts';
import type { UploadIndex } from '#shared/index/upload-ports.ts';
import { describeChanges } from './index-suite-changes.ts';
import { describeCommits } from './index-suite-commits.ts';
import { describeRecoding } from './index-suite-recoding.ts';
import { describeTenantAndAccess } from './index-suite-tenant.ts';
import { describeUploads } from './index-suite-uploads.ts';

export interface IndexClient {
  readonly files: FileIndex;
  readonly uploads: UploadIndex;
  readonly miners: MinerDirectory;
  readonly access: AccessIndex;
}

export interface IndexUnderTest {
  /** A client with state of its own. */
  connect(): IndexClient;
  nowMs(): number;
  advance(ms: number): void;
  close(): Promise<void>;
}

/** What the parts of the suite work with: the index, and two clients of it. */
export interface Suite {
  readonly world: IndexUnderTest;
  readonly index: FileIndex;
  readonly other: FileIndex;
}

export function describeIndex(name: string, open: () => Promise<IndexUnderTest>): void {
  describe(name, () => {
    let suite: Suite | undefined;
    beforeAll(async () => {
      const world = await open();
      suite = { world, index: world.connect().files, other: world.connect().files };
    });
    afterAll(() => suite?.world.close());
    const use = (): Suite => {
      if (!suite) throw new Error('the index is not open');
      return suite;
    };
    describeCommits(use);
    describeChanges(use);
    describeRecoding(use);
    describeTenantAndAccess(use);
    describeUploads(use);
  });
}
