/**
 * The tenant's mask secrets from their own file (mode 0600), each used only after the index agreed that it is the one
 * its files were masked with (por/v1 §3): a repair with a wrong secret would write shards that nobody can read.
 */
import { readFileSync, statSync } from 'node:fs';
import type { FileIndex } from '#shared/index/ports.ts';
import { equalBytes, fromHex } from '#shared/primitives/bytes.ts';
import { fail, succeed } from '#shared/primitives/failure.ts';
import { maskCheckOf } from '#shared/proof/mask.ts';
import type { MaskSecrets } from './flows/repair-ports.ts';

const LINE = /^([0-9]{1,5}):([0-9a-f]{64})$/;

/** Lines `epoch:64 hex digits`, as an edge's MASK_SECRETS has them, commas or line ends between them. Throws one line. */
export function readMaskSecrets(file: string): ReadonlyMap<number, Uint8Array> {
  if ((statSync(file).mode & 0o077) !== 0) throw new Error(`maskSecretsFile: others can read ${file}; chmod 600 it`);
  const secrets = new Map<number, Uint8Array>();
  for (const line of readFileSync(file, 'utf8').split(/[\s,]+/)) {
    if (line === '') continue;
    const match = LINE.exec(line);
    const secret = fromHex(match?.[2] ?? '', 32);
    const epoch = Number(match?.[1]);
    if (!secret || !(epoch <= 0xffff) || secrets.has(epoch)) {
      throw new Error('maskSecretsFile: every line must be epoch:64 lowercase hex digits, each epoch once');
    }
    secrets.set(epoch, secret);
  }
  return secrets;
}

export function maskSecretsOf(
  secrets: ReadonlyMap<number, Uint8Array>,
  files: Pick<FileIndex, 'maskCheck'>,
): MaskSecrets {
  const matched = new Set<number>();
  const refuse = (message: string) => fail({ code: 'mask-secret', fault: 'us', message } as const);
  return {
    async of(epoch) {
      const secret = secrets.get(epoch);
      if (!secret) return refuse(`the mask secret of epoch ${epoch} is not in maskSecretsFile`);
      if (matched.has(epoch)) return succeed(secret);
      const kept = await files.maskCheck(epoch);
      if (!kept) return refuse(`the index knows no check value of mask epoch ${epoch}`);
      if (!equalBytes(kept, maskCheckOf(secret, epoch))) {
        return refuse(`the mask secret of epoch ${epoch} is not the one that this index knows`);
      }
      matched.add(epoch);
      return succeed(secret);
    },
  };
}
