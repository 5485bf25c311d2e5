/** The chosen edge, as the library's parts take it. Imported by commands that talk to one: it loads the library. */
import type { Connection } from '#client/api-call.ts';
import { systemClock, systemRandom } from '#shared/primitives/effects.ts';

export const connectionTo = (url: string, apiKey: string | undefined): Connection => ({
  url,
  apiKey,
  fetch: (address, init) => fetch(address, init),
  clock: systemClock,
  random: systemRandom,
});
