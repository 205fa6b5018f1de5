import { importRows } from '../../../published/ledger/import.js';
import { writeLedger } from '../../../published/ledger/row.js';
import { print } from '../../terminal/output.js';
import { readTextFile } from '../../text-file.js';
import type { ImportFlags } from './command.js';

/** Rows of a benchmark's result, as the ledger keeps them. */
export async function importCommand(file: string, { engineVersion: version, ...known }: ImportFlags): Promise<number> {
  const rows = importRows(await readTextFile(file), { ...known, version, source: 'own' }, file);
  print(writeLedger(rows));
  return 0;
}
