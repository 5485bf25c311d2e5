/**
 * The import rule of `docs/architecture.md` as data for dependency-cruiser: pure folders import only pure folders,
 * flows import pure code and ports, adapters import ports and libraries, only `main.ts` and `worker.ts` join them, and
 * programs never import each other. Tests, whole-network tests and benchmarks may reach for anything.
 * `infra/checks/layers.ts` runs it.
 */
import type { IRegularForbiddenRuleType } from 'dependency-cruiser';

const PURE = '^shared/(primitives|proof|codec|tier|placement)/';
const APP = '^(edge|miner|validator|client|web|infra)/';
/** Tests and what serves only tests; benches measure, tools build. */
const FREE = [
  '\\.test\\.ts$',
  '^test/',
  '^bench/',
  '/testing/',
  '/build-[^/]+\\.ts$',
  '^infra/checks/',
  '^[^/]+\\.ts$',
];
/** Files that say in their name that they belong to Node. */
const NODE_FILE = '/node-[^/]+\\.ts$';
/** Small libraries that compute and do nothing else. */
const PURE_LIBRARY = '(^|/)node_modules/(@noble|@scure|multiformats)/';
const TYPE_ONLY = ['type-only'] as const;

const rule = (
  name: string,
  comment: string,
  from: IRegularForbiddenRuleType['from'],
  to: IRegularForbiddenRuleType['to'],
): IRegularForbiddenRuleType => ({ name, comment, severity: 'error', from, to });

export const LAYER_RULES: readonly IRegularForbiddenRuleType[] = [
  rule('resolvable', 'An import must lead somewhere.', {}, { couldNotResolve: true }),
  rule(
    'no-cycles',
    'Modules that need each other are one module, or have a third one in common.',
    {},
    { circular: true, viaOnly: { dependencyTypesNot: [...TYPE_ONLY] } },
  ),
  rule(
    'primitives-stand-alone',
    'shared/primitives is the ground: it imports nothing local.',
    { path: '^shared/primitives/', pathNot: FREE },
    { path: '^(shared|edge|miner|validator|client|infra)/', pathNot: '^shared/primitives/' },
  ),
  rule(
    'pure-imports-pure',
    'Pure folders import pure folders, primitives and small pure libraries. Types cost nothing.',
    { path: PURE, pathNot: [...FREE, NODE_FILE] },
    { pathNot: [PURE, PURE_LIBRARY], dependencyTypesNot: [...TYPE_ONLY] },
  ),
  rule(
    'pure-knows-no-program',
    'Not even their types: shared code is there before the programs.',
    { path: '^shared/', pathNot: FREE },
    { path: [APP, '^test/', '^bench/'] },
  ),
  rule(
    'shared-runs-everywhere',
    'What lies in shared/ runs in Node, workerd and browsers; a file for Node says so: node-….ts.',
    { path: '^shared/', pathNot: [...FREE, NODE_FILE] },
    { dependencyTypes: ['core'] },
  ),
  rule(
    'shared-imports-no-node-file',
    'Else the file for Node would come along everywhere.',
    { path: '^shared/', pathNot: [...FREE, NODE_FILE] },
    { path: NODE_FILE, dependencyTypesNot: [...TYPE_ONLY] },
  ),
  rule(
    'programs-stand-alone',
    'A program never imports another; what two need goes to shared/.',
    { path: '^(edge|miner|validator|client|web|infra)/', pathNot: FREE },
    { path: APP, pathNot: '^$1/' },
  ),
  rule(
    'flows-take-ports',
    'A flow and the pure code beside it get their effects as arguments.',
    { path: '^(edge|miner|validator)/(flows|domain)/', pathNot: FREE },
    {
      path: ['(^|/)node_modules/(hono|@upstash|pino)/', '^shared/index/redis', '^shared/wire/miner-client', NODE_FILE],
      dependencyTypesNot: [...TYPE_ONLY],
    },
  ),
  rule(
    'domain-is-pure',
    'Decisions do nothing: no effects, no libraries with effects.',
    { path: '^(edge|miner|validator)/domain/', pathNot: FREE },
    { dependencyTypes: ['core'] },
  ),
  rule(
    'nobody-imports-main',
    'main.ts and worker.ts wire a program together; they are started, not imported.',
    { pathNot: FREE },
    { path: '(^|/)(main|worker)\\.ts$' },
  ),
  rule(
    'no-tests-in-programs',
    'A program must not carry test code.',
    { path: '^(shared|edge|miner|validator|client|infra)/', pathNot: FREE },
    { path: ['\\.test\\.ts$', '^test/', '/testing/', '^bench/'] },
  ),
  rule(
    'no-dev-dependencies-in-programs',
    'A program runs on its dependencies alone (types aside).',
    { path: '^(shared|edge|miner|validator|client|infra)/', pathNot: FREE },
    { dependencyTypes: ['npm-dev'], dependencyTypesNot: [...TYPE_ONLY] },
  ),
];
