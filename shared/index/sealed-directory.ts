/**
 * Snapshots of the directory with their tenant's signature: made by the validator, checked by an edge before a shard
 * goes anywhere (`shared/proof/directory.ts`).
 */
import { type Hotkey, publicKeyOf } from '#shared/primitives/ids.ts';
import type { Signer, VerifySr25519 } from '#shared/primitives/signer.ts';
import { directoryDigest, encodeDirectory } from '#shared/proof/directory.ts';
import type { Network } from '#shared/proof/statement.ts';
import { type DirectorySnapshot, IndexUnavailable, type MinerDirectory } from './ports.ts';

const statementOf = (network: Network, tenant: Hotkey, { takenAtMs, miners }: DirectorySnapshot): Uint8Array =>
  encodeDirectory(network, { tenant, takenAtMs, miners: miners.length, digest: directoryDigest(miners) });

export const sealSnapshot = (
  { signer, network }: { readonly signer: Signer; readonly network: Network },
  snapshot: DirectorySnapshot,
): DirectorySnapshot => ({ ...snapshot, signature: signer.sign(statementOf(network, signer.hotkey, snapshot)) });

export interface SealExpectation {
  readonly network: Network;
  readonly tenant: Hotkey;
  readonly verify: VerifySr25519;
}

/** True for what the tenant signed for this network, and for the empty directory of an index that is new. */
export function isSealed({ network, tenant, verify }: SealExpectation, snapshot: DirectorySnapshot): boolean {
  const { signature, takenAtMs, miners } = snapshot;
  if (signature === undefined) return takenAtMs === 0 && miners.length === 0;
  return verify(statementOf(network, tenant, snapshot), signature, publicKeyOf(tenant));
}

/** Reads snapshots of this tenant alone; any other rejects with `IndexUnavailable`, as an index that answers nonsense. */
export function sealedDirectory(
  directory: Pick<MinerDirectory, 'read'>,
  expected: SealExpectation,
): Pick<MinerDirectory, 'read'> {
  return {
    async read() {
      const snapshot = await directory.read();
      if (isSealed(expected, snapshot)) return snapshot;
      throw new IndexUnavailable(`the directory of miners is not signed by ${expected.tenant}`);
    },
  };
}
