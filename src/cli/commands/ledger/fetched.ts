import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RidgepointError } from '../../../errors.js';
import { cacheFolder } from '../../../platform/node/own-folder.js';
import { packageRoot } from '../../../platform/node/package-root.js';
import { repositoryFile } from '../../../platform/node/repository-file.js';
import { writeWhole } from '../../../platform/node/whole-file.js';
import { parseLedger, writeLedger, type LedgerRow } from '../../../published/ledger/row.js';
import { fetched, rowsOfPage, type LedgerSource } from '../../../published/ledger/sources.js';
import { stopSignal } from '../../run.js';
import { readTextFile } from '../../text-file.js';

/** Where all rows are from, by source. */
export const ledgerSources = (): Record<string, LedgerSource> =>
  JSON.parse(readFileSync(join(packageRoot(), 'models', 'ledger', 'sources.json'), 'utf8')) as Record<
    string,
    LedgerSource
  >;

const sources = (): Map<string, Required<LedgerSource>> => fetched(ledgerSources());

/** Rows of another commit are other rows. */
const keptAt = (name: string, { commit }: LedgerSource): string =>
  join(cacheFolder(), 'ledger', `${name}-${commit.slice(0, 12)}.csv`);

/**
 * Fetches a source's rows and keeps them for later calls.
 *
 * @throws RidgepointError for a name that is none, a network that fails, a page that cannot be read, a full disk
 */
export async function fetchRows(name: string): Promise<void> {
  const found = sources().get(name);
  if (found === undefined) {
    throw new RidgepointError('usage', `--fetch must be one of ${[...sources().keys()].join(', ')}, found "${name}"`);
  }
  const page = await repositoryFile({ ...found, file: found.fetch.file }, `--fetch ${name}`, stopSignal);
  await writeWhole(keptAt(name, found), writeLedger(rowsOfPage(page, name)));
}

/** Rows that were fetched before, by source. */
export async function fetchedRows(): Promise<Map<string, LedgerRow[]>> {
  const kept = new Map<string, LedgerRow[]>();
  for (const [name, source] of sources()) {
    const path = keptAt(name, source);
    if (existsSync(path)) kept.set(name, parseLedger(await readTextFile(path), name, path));
  }
  return kept;
}
