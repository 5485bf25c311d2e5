/** `filetao doctor`: every check does the real thing; the first line that says FAIL is where to begin. */
import { resolve } from 'node:path';
import { asFailed, CommandFailed } from '../command-failed.ts';
import type { Run } from '../command-spec.ts';
import { checkEdge } from '../doctor/check-edge.ts';
import { checkMinerFolder, checkSecrets, walletSecretPaths } from '../doctor/check-folders.ts';
import { checkRedis } from '../doctor/check-redis.ts';
import { type Finding, findingText, verdictOf } from '../doctor/finding.ts';
import { EXIT } from '../exit-codes.ts';
import { chooseEdge, settingsPath } from '../settings/edge-choice.ts';
import { identityPath } from '../settings/identity-file.ts';
import { walletPlace } from '../settings/wallet-place.ts';

export const doctor: Run = async (cli, given) => {
  const findings: Finding[] = [];
  const tell = (...found: readonly Finding[]) => {
    findings.push(...found);
    if (!cli.out.json) for (const finding of found) cli.out.result(finding, findingText(finding));
  };
  tell({ check: 'program', state: 'ok', seen: `Node ${process.versions.node} on ${process.platform}-${process.arch}` });
  tell(await checkSecrets('settings and identity', [settingsPath(cli.places), identityPath(cli.places)]));
  try {
    const choice = await chooseEdge(cli, given);
    const key = choice.keyFrom === undefined ? 'no key' : `key from ${choice.keyFrom}`;
    tell({ check: 'chosen edge', state: 'ok', seen: `${choice.url} (from ${choice.urlFrom}), ${key}` });
    tell(...(await checkEdge(choice, !given.declined('store'), cli.signal)));
  } catch (error) {
    cli.signal.throwIfAborted();
    const { message, hint } = asFailed(error);
    tell({ check: 'chosen edge', state: 'failed', seen: message, ...(hint && { mend: hint }) });
  }
  tell(await checkSecrets('wallets', await walletSecretPaths(walletPlace(cli, given).root)));
  const redis = given.text('redis');
  if (redis !== undefined) tell(...(await checkRedis(redis)));
  const minerDir = given.text('miner-dir') ?? cli.environment.FILETAO_MINER_DATA_DIR;
  if (minerDir) tell(...(await checkMinerFolder(resolve(cli.workingFolder, minerDir))));

  const { failed, warnings } = verdictOf(findings);
  if (cli.out.json) cli.out.result({ findings, failed, warnings }, '');
  if (failed > 0) throw new CommandFailed('not-well', `${failed} of ${findings.length} checks failed`, EXIT.failed);
  cli.out.note(warnings > 0 ? `\nIt works, with ${warnings} warnings.` : '\nAll well.');
};
