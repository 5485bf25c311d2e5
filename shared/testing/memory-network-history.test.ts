import { MemoryNetworkHistory } from './memory-network-history.ts';
import { describeNetworkHistory } from './network-suite.ts';

describeNetworkHistory('the network in memory', async () => {
  let ms = 1_800_000_000_000;
  const history = new MemoryNetworkHistory({ nowMs: () => ms, sleep: () => Promise.resolve() });
  return {
    connect: () => history,
    nowMs: () => ms,
    advance: (by) => {
      ms += by;
    },
    close: async () => undefined,
  };
});
