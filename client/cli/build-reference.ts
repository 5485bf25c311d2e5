/** Writes `docs/commands.md`: run it when a command changed. */
import { writeFileSync } from 'node:fs';
import { commandReference } from './reference.ts';
import { rootCommand } from './specs/root-command.ts';

writeFileSync(new URL('../../docs/commands.md', import.meta.url), commandReference(rootCommand));
