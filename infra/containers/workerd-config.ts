/**
 * The edge under workerd itself, for those without Cloudflare: its configuration and the small module in front of the
 * Worker. Every setting comes from the container's environment. Called by `build-programs.ts`. Format: workerd.capnp.
 */
import type { EdgeBuild } from '../checks/edge-build.ts';

/** Inside the container; the operator publishes it where he wants. */
const PORT = 8787;

/** A variable that is not set, or set to nothing, reaches the Worker as null: to the Worker it is then not there. */
export const workerdEntry = (settings: readonly string[]): string => `import edge from './worker.js';
const names = ${JSON.stringify(settings)};
let settings;
export default {
  fetch(request, environment, context) {
    settings ??= Object.fromEntries(names.map((name) => [name, environment[name]]).filter(([, value]) => value));
    return edge.fetch(request, settings, context);
  },
};
`;

const text = (value: string): string => JSON.stringify(value);

export function workerdConfig(
  modules: EdgeBuild['modules'],
  { date, flags }: EdgeBuild['compatibility'],
  settings: readonly string[],
): string {
  const list = (items: readonly string[]) => items.map((item) => `      ${item},\n`).join('');
  const files = modules.map(({ type, path }) => {
    const kind = type === 'ESModule' ? 'esModule' : 'wasm';
    return `(name = ${text(path)}, ${kind} = embed ${text(path)})`;
  });
  // The index lies on the container network; which miners may be asked is for the Worker to decide, as in production.
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "edge", worker = .edge),
    (name = "internet", network = (
      allow = ["public", "private"],
      tlsOptions = (trustBrowserCas = true),
    )),
  ],
  sockets = [(name = "http", address = "*:${PORT}", http = (), service = "edge")],
);

const edge :Workerd.Worker = (
  modules = [
${list(['(name = "entry.js", esModule = embed "entry.js")', ...files])}  ],
  compatibilityDate = ${text(date)},
  compatibilityFlags = [${flags.map(text).join(', ')}],
  bindings = [
${list(settings.map((name) => `(name = ${text(name)}, fromEnvironment = ${text(name)})`))}  ],
);
`;
}
