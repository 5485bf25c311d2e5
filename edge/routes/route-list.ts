/** Every route of the edge, in matching order: a fixed path stands before a pattern that would take it too. */
import { createKey, listKeys, readAccount, revokeKey } from './account-routes.ts';
import { changeFile, deleteByCid, deleteByName, listFiles, readDeletion, readStatus } from './file-routes.ts';
import { readHealth } from './health-route.ts';
import { openApiOf } from './openapi.ts';
import { retrieveByCid, retrieveByName } from './retrieve-routes.ts';
import { defineRoute, json, type Route } from './route.ts';
import { storeRoutes } from './store-routes.ts';

let openApi: unknown;

const readOpenApi = defineRoute({
  method: 'GET',
  path: '/openapi.json',
  access: 'anyone',
  operationId: 'readOpenApi',
  summary: 'This description',
  answers: { 200: { description: 'OpenAPI 3.1', content: 'json' } },
  problems: [],
  answer: () => {
    openApi ??= openApiOf(ROUTES);
    return json(200, openApi, { 'Cache-Control': 'public, max-age=300' });
  },
});

export const ROUTES: readonly Route[] = [
  ...storeRoutes,
  listFiles,
  retrieveByName,
  deleteByName,
  retrieveByCid,
  changeFile,
  deleteByCid,
  readStatus,
  readDeletion,
  createKey,
  listKeys,
  revokeKey,
  readAccount,
  readHealth,
  readOpenApi,
];
