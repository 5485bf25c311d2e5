/** What the edge says about itself: `/openapi.json` for programs, `/docs` for people, both from the route list. */
import { type ApiDescription, docsPage } from '#edge/docs-page/docs-page.ts';
import { docsStyleSource } from '#edge/docs-page/docs-style.ts';
import { openApiOf } from './openapi.ts';
import { defineRoute, json, type Route } from './route.ts';

const CACHED = { 'Cache-Control': 'public, max-age=300' };

/** @param routes all routes, these among them; asked for at the first request */
export function descriptionRoutes(routes: () => readonly Route[]): readonly Route[] {
  let description: Record<string, unknown> | undefined;
  const describe = () => {
    description ??= openApiOf(routes());
    return description;
  };
  /** The page as last rendered: an edge is reached under one origin, or a few. */
  let rendered: { readonly origin: string; readonly page: string } | undefined;

  const readOpenApi = defineRoute({
    method: 'GET',
    path: '/openapi.json',
    access: 'anyone',
    operationId: 'readOpenApi',
    summary: 'This description',
    answers: { 200: { description: 'OpenAPI 3.1', content: 'json' } },
    problems: [],
    answer: () => json(200, describe(), CACHED),
  });

  const readDocs = defineRoute({
    method: 'GET',
    path: '/docs',
    access: 'anyone',
    operationId: 'readDocs',
    summary: 'This description, for people',
    answers: { 200: { description: 'A page', content: 'page' } },
    problems: [],
    answer: async ({ request }) => {
      const { origin } = new URL(request.url);
      if (rendered?.origin !== origin) {
        rendered = { origin, page: await docsPage(describe() as unknown as ApiDescription, origin) };
      }
      const headers = {
        ...CACHED,
        'Content-Type': 'text/html; charset=utf-8',
        // Its own style and nothing else: no script, no image, no form, no frame.
        'Content-Security-Policy': `default-src 'none'; style-src ${docsStyleSource()}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
        'Referrer-Policy': 'no-referrer',
      };
      return new Response(rendered.page, { headers });
    },
  });

  return [readOpenApi, readDocs];
}
