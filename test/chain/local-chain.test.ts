/** The chain adapter's suite against real processes of the local chain. */
import { chainSuite } from '#shared/testing/chain-suite.ts';
import { startLocalWorld } from './local-chain-world.ts';

chainSuite('the local chain', {
  small: () =>
    startLocalWorld({
      blockTimeMs: 100,
      tempo: 20,
      hyperparameters: {
        CommitRevealWeightsEnabled: false,
        MaxAllowedUids: 4,
        ImmunityPeriod: 2,
        // So small a subnet would otherwise have no neuron that may be replaced.
        MinNonImmuneUids: 0,
        WeightsSetRateLimit: 8,
        ServingRateLimit: 5,
      },
    }),
  committing: () =>
    startLocalWorld({
      blockTimeMs: 100,
      tempo: 20,
      hyperparameters: { WeightsSetRateLimit: 2, RevealPeriodEpochs: 1 },
    }),
  large: () => startLocalWorld({ blockTimeMs: 12, tempo: 100, neurons: 254 }),
});
