/** The page says what the route list says, all of it, and lets nothing else into a browser. */
import { beforeAll, describe, expect, test } from 'vitest';
import { openApiPath } from '#edge/routes/openapi.ts';
import { ROUTES } from '#edge/routes/route-list.ts';
import { createTestEdge } from '#edge/testing/test-edge.ts';
import { PROBLEMS } from '#shared/wire/problem.ts';
import { CURL_EXAMPLES } from './curl-examples.ts';
import { type ApiDescription, docsPage } from './docs-page.ts';
import { DOCS_STYLE } from './docs-style.ts';

let response: Response;
let page: string;
beforeAll(async () => {
  const edge = await createTestEdge();
  response = await edge.fetch('/docs', { headers: { Authorization: '' } });
  page = await response.text();
});

const article = (operationId: string): string =>
  page.split(`<article id="${operationId}">`)[1]?.split('</article>')[0] ?? '';

test.each(ROUTES.map((route) => ({ id: `${route.method} ${route.path}`, route })))(
  '$id is on the page',
  ({ route }) => {
    const text = article(route.operationId);
    expect(text).toContain(`>${route.method}</span>`);
    expect(text).toContain(`>${openApiPath(route.path)}</span>`);
    expect(page).toContain(`href="#${route.operationId}"`);
    for (const status of Object.keys(route.answers)) expect(text).toContain(`<code>${status}</code>`);
    for (const code of route.problems) expect(text).toContain(`<a href="#problem-${code}">`);
    for (const shape of [route.params, route.query, route.headers]) {
      for (const name of Object.keys(shape?.shape ?? {})) expect(text).toContain(`<code>${name}</code>`);
    }
  },
);

test.each(ROUTES.map(({ method, path, operationId }) => ({ method, path, operationId })))(
  'the example of $operationId calls it',
  ({ method, path, operationId }) => {
    const lines = (CURL_EXAMPLES[operationId] ?? '').split('\n');
    const pattern = new RegExp(`"\\$EDGE${path.replace(/:\w+/g, '[^/?"]+')}[?"]`);
    for (const line of lines) {
      expect(line).toMatch(pattern);
      const named = / -X ([A-Z]+)/.exec(line)?.[1] ?? (/ -T /.test(line) ? 'PUT' : 'GET');
      expect(named).toBe(method);
    }
  },
);

test('no example is of an operation that is not there', () => {
  const known = new Set(ROUTES.map(({ operationId }) => operationId));
  expect(Object.keys(CURL_EXAMPLES).filter((id) => !known.has(id))).toEqual([]);
});

test.each(Object.entries(PROBLEMS))('the problem %s is on the page', (code, { status }) => {
  expect(page).toContain(`<tr id="problem-${code}"><td class="name"><code>${code}</code></td><td>${status}</td>`);
});

test('every link inside the page leads somewhere', () => {
  const targets = new Set([...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]));
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(targets).toContain(target);
});

test('it shows the origin it was asked under', async () => {
  expect(page).toContain('EDGE=https://edge.test\n');
});

describe('in a browser', () => {
  test('the policy allows this style by its hash, and nothing else', async () => {
    const policy = response.headers.get('Content-Security-Policy') ?? '';
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(DOCS_STYLE)));
    const hash = btoa(String.fromCharCode(...digest));
    expect(policy).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    expect(page.match(/<style>([\s\S]*?)<\/style>/)?.[1]).toBe(DOCS_STYLE);
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(response.headers.get('Content-Type')).toBe('text/html; charset=utf-8');
  });

  test('nothing is run and nothing is fetched', () => {
    expect(page).not.toMatch(/<script|<img|<link|<iframe|<form|\son\w+=|\sstyle=|javascript:|@import|url\(/i);
    for (const [, target] of page.matchAll(/href="([^"]+)"/g)) expect(target).toMatch(/^(#|\/(openapi\.json|health)$)/);
  });

  test('text is text, whatever it holds', async () => {
    const evil = `"><script>alert('x')</script>&`;
    const operation = {
      operationId: evil,
      summary: `${evil} \`${evil}\``,
      security: [],
      parameters: [
        { name: evil, in: 'query', required: true, schema: { enum: [evil], description: evil, default: evil } },
      ],
      requestBody: {
        content: { 'application/json': { schema: { type: 'object', properties: { [evil]: { description: evil } } } } },
      },
      responses: { [evil]: { description: evil } },
    } as const;
    const description: ApiDescription = { paths: { [evil]: { [evil]: operation } } };
    const hostile = await docsPage(description, evil);
    expect(hostile).not.toContain('<script');
    expect(hostile.match(/alert\(/g)?.length).toBeGreaterThan(8);
  });
});
