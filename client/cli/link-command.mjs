/** After `npm ci`: puts the checkout's own command where those of its packages are, so that `npx filetao` is at once there. */
import { lstatSync, mkdirSync, symlinkSync, unlinkSync } from 'node:fs';

const folder = new URL('../../node_modules/.bin/', import.meta.url);
const link = new URL('filetao', folder);
mkdirSync(folder, { recursive: true });
if (lstatSync(link, { throwIfNoEntry: false })) unlinkSync(link);
symlinkSync('../../client/cli/filetao.mjs', link);
