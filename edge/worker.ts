/**
 * The Worker: joins the app to this runtime. What outlives a request in an isolate is plain data (settings, kernel,
 * caches, latencies, claims on memory); everything that does I/O is made anew for each request, because a Worker may
 * not use one request's sockets or promises on behalf of another.
 */
import kernelModule from '#shared/codec/kernel.wasm';
import { instantiateKernel } from '#shared/codec/wasm-kernel.ts';
import type { NumberBlock } from '#shared/index/file-numbers.ts';
import { createIndex } from '#shared/index/redis-index.ts';
import { sealedDirectory } from '#shared/index/sealed-directory.ts';
import { systemClock, systemRandom } from '#shared/primitives/effects.ts';
import { letGo } from '#shared/primitives/let-go.ts';
import { lazyZkKernel } from '#shared/proof/zk/wasm-zk-kernel.ts';
import zkKernelModule from '#shared/proof/zk/zk-kernel.wasm';
import { createBudget } from '#shared/transfer/budget.ts';
import { fetchSegments } from '#shared/transfer/fetch-segments.ts';
import { createLatencies } from '#shared/transfer/latencies.ts';
import { storeSegments } from '#shared/transfer/store-segments.ts';
import type { Fetch } from '#shared/wire/fetch.ts';
import { createMinerClient } from '#shared/wire/miner-client.ts';
import { signerFromSeed, verify } from '#shared/wire/sr25519-scure.ts';
import { createApp, type MakePorts } from './app.ts';
import { failureResponse, refuse } from './http/problem.ts';
import { Admission } from './network/admission.ts';
import { consoleLog } from './network/console-log.ts';
import { nodeSha256, webSha256 } from './network/digests.ts';
import { type GrantCache, grantsOf } from './network/grants.ts';
import { type MaskSecretCache, maskSecretsOf } from './network/mask-secrets.ts';
import { type DirectoryCache, minerNetwork } from './network/miner-network.ts';
import { publicMinerUrl } from './network/public-miner-url.ts';
import type { EdgePorts } from './ports.ts';
import { readSettings, type WiringSettings } from './settings.ts';

/**
 * A Worker's request may have six others waiting for their headers (Cloudflare, "Simultaneous open connections"); one
 * stays free for the index.
 */
const MINER_HEADER_SLOTS = 5;

const clock = systemClock;
const random = systemRandom;
const log = consoleLog;

/** Wrapped, because the runtime's own insists on being called bare. */
const runtimeFetch: Fetch = (url, init) => fetch(url, init as RequestInit);

function createIsolate(settings: WiringSettings) {
  const signer = signerFromSeed(settings.hotkeySeed);
  const network = { genesis: settings.genesisHash, netuid: settings.netuid };
  const kernel = instantiateKernel(kernelModule);
  const zkKernel = lazyZkKernel(zkKernelModule);
  const latencies = createLatencies(clock);
  const minerUrl = publicMinerUrl(settings.minerUrlPattern);
  const admission = new Admission();
  const directoryCache: DirectoryCache = {};
  const grantCache: GrantCache = {};
  const maskSecretCache: MaskSecretCache = new Set();
  const numbers: NumberBlock = { next: 0, left: 0 };

  return (background: EdgePorts['background']): EdgePorts => {
    const index = createIndex({ url: settings.indexUrl, token: settings.indexToken, clock, numbers });
    const expectedSeal = { network, tenant: settings.tenant, verify };
    const expected = { network, tenant: settings.tenant, edge: signer.hotkey };
    const miners = createMinerClient({
      fetch: runtimeFetch,
      signer,
      network,
      tenant: settings.tenant,
      // Flows ask how the grant stands before they talk to miners, which fills the cache.
      grant: () => grantCache.known?.signed,
      clock,
      random,
      verify,
      headerSlots: MINER_HEADER_SLOTS,
    });
    return {
      settings,
      hotkey: signer.hotkey,
      files: index.files,
      uploads: index.uploads,
      access: index.access,
      history: index.history,
      network: minerNetwork(sealedDirectory(index.miners, expectedSeal), minerUrl, directoryCache, clock),
      grants: grantsOf(index.access, expected, verify, grantCache, clock),
      maskSecrets: maskSecretsOf(settings, index.files, maskSecretCache, log),
      transfer: { kernel, zkKernel, miners, clock, random, log, latencies, sha256: webSha256, letGo },
      storeSegments,
      fetchSegments,
      newSha256: nodeSha256,
      admission,
      newBudget: createBudget,
      clock,
      random,
      log,
      background,
    };
  };
}

/** Settings do not change while an isolate lives: a deployment starts new ones. */
let isolate: ((background: EdgePorts['background']) => EdgePorts) | undefined;

const makePorts: MakePorts = (environment, background) => {
  if (!isolate) {
    const outcome = readSettings(environment);
    if (!outcome.ok) {
      log.error('misconfigured', { wrong: outcome.wrong });
      const names = outcome.wrong.map(({ setting, message }) => `${setting}: ${message}`).join('; ');
      return failureResponse(refuse('misconfigured', names).failure);
    }
    isolate = createIsolate(outcome.settings);
  }
  return isolate(background);
};

const app = createApp(makePorts);

export default {
  fetch: (request, environment, context) => app.fetch(request, environment, context),
} satisfies ExportedHandler;
