/** Every route of the edge, in matching order: a fixed path stands before a pattern that would take it too. */
import { createKey, listKeys, readAccount, revokeKey } from './account-routes.ts';
import { descriptionRoutes } from './description-routes.ts';
import { readEnvelope, writeEnvelope } from './envelope-routes.ts';
import { changeFile, deleteByCid, deleteByName, listFiles, readDeletion, readStatus } from './file-routes.ts';
import { readHealth } from './health-route.ts';
import { login } from './login-route.ts';
import { networkRoutes } from './network-routes.ts';
import { probe } from './probe-route.ts';
import { retrieveByCid, retrieveByName } from './retrieve-routes.ts';
import type { Route } from './route.ts';
import { storeRoutes } from './store-routes.ts';
import { uploadRoutes } from './upload-routes.ts';

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
  writeEnvelope,
  readEnvelope,
  login,
  ...uploadRoutes,
  createKey,
  listKeys,
  revokeKey,
  readAccount,
  probe,
  ...networkRoutes,
  readHealth,
  ...descriptionRoutes(() => ROUTES),
];
