/**
 * `npm run chain:check -- FILE`: lists every difference between what the local chain declares (which is all that our
 * chain adapter uses) and a real chain's metadata blob, binary or as 0x text. Exit 0: none; 1: some; 2: no metadata.
 */
import { readFileSync } from 'node:fs';
import { fromHex } from '#shared/primitives/bytes.ts';
import { compareMetadata } from './metadata/compare-metadata.ts';
import { readMetadata } from './metadata/read-metadata.ts';
import { RUNTIME } from './metadata/runtime-declaration.ts';

const HEX_START = 0x30;

function load(path: string): Uint8Array | undefined {
  const raw = readFileSync(path);
  if (raw[0] !== HEX_START) return raw;
  return fromHex(raw.toString('latin1').trim().replace(/^0x/, '').toLowerCase());
}

function check(path: string | undefined): number {
  if (!path) {
    console.error('usage: npm run chain:check -- FILE');
    return 2;
  }
  let bytes: Uint8Array | undefined;
  try {
    bytes = load(path);
  } catch (error) {
    console.error(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
  const found = bytes && readMetadata(bytes);
  if (!found) {
    console.error(`${path}: no metadata of version 14, 15 or 16`);
    return 2;
  }
  const differences = compareMetadata(found);
  for (const difference of differences) console.log(difference);
  const items = RUNTIME.pallets.reduce((sum, pallet) => sum + pallet.storage.length, 0);
  const methods = RUNTIME.apis.reduce((sum, api) => sum + api.methods.length, 0);
  console.log(
    `metadata V${found.version}: ${differences.length} differences in ${RUNTIME.pallets.length} pallets, ` +
      `${items} storage items, ${methods} runtime methods`,
  );
  return differences.length === 0 ? 0 : 1;
}

process.exitCode = check(process.argv[2]);
