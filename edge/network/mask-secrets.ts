/**
 * The tenant's mask secrets as flows may use them: only after the index agreed that each is the one its files were
 * masked with (por/v1 §3). Nothing is ever stored with a secret that does not match: such a file would be lost with the
 * next edge that has the right one. What matched is remembered for the isolate's life; what did not is asked again.
 */
import { type EdgeResult, refuse } from '#edge/http/problem.ts';
import type { MaskSecretState, MaskSecrets } from '#edge/ports.ts';
import { type MaskSecret, newestSecret, type Settings } from '#edge/settings.ts';
import type { FileIndex } from '#shared/index/ports.ts';
import { equalBytes } from '#shared/primitives/bytes.ts';
import type { Log } from '#shared/primitives/effects.ts';
import { succeed } from '#shared/primitives/failure.ts';
import { maskCheckOf } from '#shared/proof/mask.ts';

/** Epochs whose secret is known to match. */
export type MaskSecretCache = Set<number>;

export function maskSecretsOf(
  settings: Pick<Settings, 'maskSecrets'>,
  files: Pick<FileIndex, 'maskCheck' | 'claimMaskCheck'>,
  matched: MaskSecretCache,
  log: Log,
): MaskSecrets {
  const newest = newestSecret(settings);

  function judge({ epoch, secret }: MaskSecret, right: boolean): EdgeResult<Uint8Array> {
    if (right) return succeed(secret);
    log.error('mask-secret-wrong', { epoch });
    return refuse('misconfigured', `MASK_SECRETS: the secret of epoch ${epoch} is not the one that this index knows`);
  }

  async function stateOf({ epoch, secret }: MaskSecret): Promise<MaskSecretState> {
    if (matched.has(epoch)) return 'right';
    const kept = await files.maskCheck(epoch);
    if (!kept) return 'unused';
    if (!equalBytes(kept, maskCheckOf(secret, epoch))) return 'wrong';
    matched.add(epoch);
    return 'right';
  }

  return {
    newestEpoch: newest.epoch,
    state: () => stateOf(newest),
    async forStoring() {
      const { epoch, secret } = newest;
      const right = matched.has(epoch) || (await files.claimMaskCheck(epoch, maskCheckOf(secret, epoch)));
      if (right) matched.add(epoch);
      return judge(newest, right);
    },
    async forReading(epoch) {
      const known = settings.maskSecrets.find((item) => item.epoch === epoch);
      if (known) return judge(known, (await stateOf(known)) !== 'wrong');
      log.error('mask-secret-missing', { epoch });
      return refuse('misconfigured', `MASK_SECRETS: the secret of epoch ${epoch} is missing`);
    },
  };
}
