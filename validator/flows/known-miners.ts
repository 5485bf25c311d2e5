/** The registered miners by their number in the index, as peers to talk to. A number that is missing here is gone. */
import type { MinerNumber } from '#shared/primitives/ids.ts';
import type { MinerPeer } from '#shared/wire/ports.ts';
import type { TenantPorts } from '#validator/ports.ts';

export type KnownMiners = ReadonlyMap<MinerNumber, MinerPeer>;

export async function readKnownMiners(
  ports: Pick<TenantPorts, 'registrations' | 'directory' | 'minerUrl'>,
): Promise<KnownMiners> {
  const registered = await ports.registrations.read();
  const numbers = await ports.directory.numberOf(registered.map((miner) => miner.hotkey));
  const known = new Map<MinerNumber, MinerPeer>();
  for (const { hotkey, address } of registered) {
    const number = numbers.get(hotkey);
    if (number !== undefined) known.set(number, { hotkey, url: ports.minerUrl(address) });
  }
  return known;
}
