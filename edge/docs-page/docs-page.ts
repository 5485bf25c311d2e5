/**
 * `/docs`: the OpenAPI description as one page for people. Rendered on the server from the very document that
 * `/openapi.json` serves, so that the two cannot differ; no script, nothing fetched, readable in a text browser. hono's
 * `html` escapes whatever is put into it.
 */
import { html, raw } from 'hono/html';
import { isProblemCode, PROBLEMS } from '#shared/wire/problem.ts';
import { CURL_EXAMPLES } from './curl-examples.ts';
import { DOCS_STYLE } from './docs-style.ts';
import { membersOf, type Schema, typeText } from './schema-text.ts';

type Html = ReturnType<typeof html>;

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

/** What the page reads of an OpenAPI document. */
export interface ApiDescription {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Entry {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

const WHO: Readonly<Record<(typeof PROBLEMS)[keyof typeof PROBLEMS]['fault'], string>> = {
  caller: 'the request',
  peer: 'miners',
  us: 'the server',
};

/** HEAD is GET without a body: said once at the top. */
const entriesOf = ({ paths }: ApiDescription): readonly Entry[] =>
  Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([method]) => method !== 'head')
      .map(([method, operation]) => ({ method, path, operation })),
  );

function accessText({ security }: Operation): string {
  if (security.length === 0) return 'open to anyone';
  return security.some((item) => Object.keys(item).length === 0) ? 'API key, unless reads are public' : 'API key';
}

/** What stands between backticks as code. */
function prose(text: string): Html[] {
  return text.split('`').map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}

const membersTable = (schema: Schema): Html => html`<div class="scroll"><table class="fields">
<tr><th>member</th><th>type</th><th></th></tr>
${membersOf(schema).map(
  (member) => html`<tr><td class="name"><code>${member.name}</code></td><td>${typeText(member.schema)}</td>
<td>${prose([member.optional ? 'optional' : '', member.schema.description ?? ''].filter(Boolean).join('; '))}</td></tr>`,
)}</table></div>`;

function parameters({ parameters: list = [] }: Operation): Html | '' {
  if (list.length === 0) return '';
  const note = ({ required, schema }: Parameter): string =>
    [
      required ? 'required' : '',
      schema.description ?? '',
      schema.default === undefined ? '' : `default ${JSON.stringify(schema.default)}`,
    ]
      .filter(Boolean)
      .join('; ');
  return html`<h4>Parameters</h4><div class="scroll"><table class="fields">
<tr><th>name</th><th>in</th><th>type</th><th></th></tr>
${list.map(
  (parameter) => html`<tr><td class="name"><code>${parameter.name}</code></td><td>${parameter.in}</td>
<td>${typeText(parameter.schema)}</td><td>${prose(note(parameter))}</td></tr>`,
)}</table></div>`;
}

function requestBody({ requestBody: body }: Operation): Html | '' {
  if (!body) return '';
  const schema = body.content['application/json']?.schema;
  if (schema) return html`<h4>JSON body</h4>${membersTable(schema)}`;
  return html`<h4>Body</h4><p>The file’s bytes, or <code>multipart/form-data</code> with one part for each file.</p>`;
}

/** Variants of an answer's object; a schema that is not a union is its only one. */
const variantsOf = (schema: Schema): readonly Schema[] => schema.anyOf ?? [schema];

/** Every shape of JSON that an operation answers with, once, and the statuses it comes with. */
function shapesOf({ responses }: Operation): readonly { readonly schema: Schema; readonly statuses: string }[] {
  const shapes = Object.entries(responses).flatMap(([status, { content = {} }]) => {
    const schema = content['application/json']?.schema;
    const variants = schema ? variantsOf(schema) : [];
    return variants.filter((variant) => variant.properties).map((variant) => ({ status, variant }));
  });
  const grouped = Map.groupBy(shapes, ({ variant }) => JSON.stringify(variant));
  return [...grouped.values()].flatMap(([first, ...more]) =>
    first ? [{ schema: first.variant, statuses: [first, ...more].map(({ status }) => status).join(', ') }] : [],
  );
}

/** The description of a status: its problems (`code: title`) each on a line, its code a link to the table below. */
function answerText(description: string): Html[] {
  return description.split('; ').map((part, at) => {
    const [, code = '', title] = /^(?:or )?([a-z][a-z0-9-]*): (.+)$/.exec(part) ?? [];
    if (isProblemCode(code)) return html`<div><a href="#problem-${code}"><code>${code}</code></a>: ${title}</div>`;
    return html`${at > 0 ? '; ' : ''}${prose(part)}`;
  });
}

function answers(operation: Operation): Html {
  return html`<h4>Answers</h4><div class="scroll"><table>
${Object.entries(operation.responses).map(
  ([status, { description }]) =>
    html`<tr><td class="name"><code>${status}</code></td><td>${answerText(description)}</td></tr>`,
)}</table></div>
${shapesOf(operation).map(
  ({ schema, statuses }) =>
    html`<details><summary>JSON of ${statuses}: <code>{ ${Object.keys(schema.properties ?? {}).join(
      ', ',
    )} }</code></summary>${membersTable(schema)}</details>`,
)}`;
}

const operationArticle = ({ method, path, operation }: Entry): Html => html`<article id="${operation.operationId}">
<div class="head"><h3><code><span class="method ${method}">${method.toUpperCase()}</span> <span class="path">${path}</span></code></h3>
<span class="access">${accessText(operation)}</span></div>
<p>${prose(operation.summary)}</p>
<pre>${CURL_EXAMPLES[operation.operationId] ?? ''}</pre>
${parameters(operation)}${requestBody(operation)}${answers(operation)}
</article>`;

const problemTable = (): Html => html`<div class="scroll"><table>
<tr><th>code</th><th>status</th><th>meaning</th><th>caused by</th></tr>
${Object.entries(PROBLEMS).map(
  ([code, { status, title, fault }]) =>
    html`<tr id="problem-${code}"><td class="name"><code>${code}</code></td><td>${status}</td><td>${title}</td>
<td>${WHO[fault]}</td></tr>`,
)}</table></div>`;

/** @param origin where the reader reached this edge, e.g. `https://edge.example.org` */
export async function docsPage(description: ApiDescription, origin: string): Promise<string> {
  const entries = entriesOf(description);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>FileTAO edge: HTTP interface</title>
<style>${raw(DOCS_STYLE)}</style>
</head>
<body>
<main>
<h1>FileTAO edge</h1>
<p>Store a file, read it back, see how it stands. The same for programs: <a href="/openapi.json">OpenAPI 3.1</a>;
how this edge is: <a href="/health">health</a>.</p>
<pre>EDGE=${origin}
KEY=ftk_…        # your API key
CID=bafkrei…     # of a file, from the answer when you stored it</pre>
<p>Keys are sent as <code>Authorization: Bearer KEY</code>. Every <code>GET</code> also answers <code>HEAD</code>. Times are
ISO 8601 in UTC. What goes wrong is an RFC 9457 problem (<code>application/problem+json</code>): decide by its
<a href="#problems"><code>code</code></a>, never by its text; after a 503 or 429 come back when <code>Retry-After</code>
says.</p>
<nav><h2>Requests</h2><ul>
${entries.map(
  ({
    method,
    path,
    operation,
  }) => html`<li><a href="#${operation.operationId}"><code><span class="method ${method}">${method.toUpperCase()}</span> <span class="path">${path}</span></code></a>
<span>${prose(operation.summary)}</span></li>`,
)}
</ul></nav>
${entries.map(operationArticle)}
<h2 id="problems">Problems</h2>
<p>The whole vocabulary, that between edges and miners included. A problem may have members of its own beside the
standard ones.</p>
${problemTable()}
</main>
</body>
</html>
`;
  return String(await page);
}
