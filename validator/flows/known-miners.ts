/** The registered miners by their number in the index, as peers to talk to. A number that is missing here is gone. */
import type { MinerNumber } from '#shared/primitives/ids.ts';
import type { MinerPeer } from '#shared/wire/ports.ts';
import type { TenantPorts } from '#validator/ports.ts';

/** Undefined: registered, but with an address that leads nowhere; its shards stay its own. */
export type KnownMiners = ReadonlyMap<MinerNumber, MinerPeer | undefined>;

export async function readKnownMiners(
  ports: Pick<TenantPorts, 'registrations' | 'directory' | 'minerUrl'>,
): Promise<KnownMiners> {
  const registered = await ports.registrations.read();
  const numbers = await ports.directory.numberOf(registered.map((miner) => miner.hotkey));
  const known = new Map<MinerNumber, MinerPeer | undefined>();
  for (const { hotkey, address } of registered) {
    const number = numbers.get(hotkey);
    if (number === undefined) continue;
    const url = ports.minerUrl(address);
    known.set(number, url === undefined ? undefined : { hotkey, url });
  }
  return known;
}
