/** `npm run check:layers`: the import rule, over the whole tree. */
import process from 'node:process';
import { checkLayers } from './check-layers.ts';

const { files, imports, complaints } = await checkLayers(process.cwd());
for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
if (complaints.length > 0) process.exit(1);
process.stdout.write(`layers: ${files} files, ${imports} imports, every one allowed\n`);
