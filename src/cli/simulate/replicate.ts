import { gunzipSync } from 'node:zlib';
import { join } from 'node:path';
import { RidgepointError } from '../../errors.js';
import { codeOf } from '../../platform/node/disk.js';
import { readWhole } from '../../platform/node/read-whole.js';
import { REPLICATIONS } from '../../simulator/replications/index.js';
import {
  asPrinted,
  replicates,
  type ReplicatedFigure,
  type Replication,
} from '../../simulator/replications/replication.js';
import { csvTable, records, textTable, type Column } from '../predict/table.js';
import { textOf } from '../text-file.js';
import { print } from '../output.js';
import { EXIT } from '../run.js';
import { remark } from '../style.js';
import type { SimulateFlags } from './options.js';

interface Row extends ReplicatedFigure {
  readonly name: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { head: 'run', key: 'name', value: ({ name }) => name, text: ({ name }) => name },
  { head: 'figure', key: 'figure', value: ({ figure }) => figure, text: ({ figure }) => figure },
  {
    head: 'published',
    key: 'published',
    value: ({ published }) => Number(published),
    text: ({ published }) => published,
  },
  { head: 'ours', key: 'ours', value: ({ ours }) => ours, text: (row) => asPrinted(row) },
  {
    head: 'difference',
    key: 'difference',
    value: ({ ours, published }) => ours / Number(published) - 1,
    text: ({ ours, published }) => `${(100 * (ours / Number(published) - 1)).toFixed(1)} %`,
  },
  { head: 'class', key: 'class', value: (row) => row.class, text: (row) => row.class },
  { head: '', key: 'replicates', value: replicates, text: (row) => (replicates(row) ? 'yes' : 'NO') },
];

/**
 * `ridgepoint simulate replicate`: published runs again, beside ours.
 *
 * @returns the exit code: 1 where an exact figure is not exact, or nothing could be run
 * @throws RidgepointError when there is no replication of that name
 */
export async function replicateCommand(
  name: string | undefined,
  flags: SimulateFlags & { readonly data?: string },
): Promise<number> {
  const chosen = name === undefined ? REPLICATIONS : REPLICATIONS.filter((each) => each.name === name);
  if (chosen.length === 0) {
    throw new RidgepointError(
      'usage',
      `${JSON.stringify(name)} is no replication; there are ${REPLICATIONS.map((each) => each.name).join(', ')}`,
    );
  }
  const rows: Row[] = [];
  for (const replication of chosen) {
    const texts = await textsOf(replication, flags.data ?? '.');
    if (typeof texts === 'string')
      remark(
        `${replication.name}: ${texts} is missing; --data says where the data is (docs/simulator.md tells where to get it)`,
      );
    else
      rows.push(
        ...replication.run((file) => texts.get(file)!).map((figure) => ({ ...figure, name: replication.name })),
      );
  }
  if (rows.length === 0) return EXIT.failure;
  if (flags.json) print(`${JSON.stringify({ rows: records(rows, COLUMNS) }, null, 2)}\n`);
  else print(flags.csv ? csvTable(rows, COLUMNS) : textTable(rows, COLUMNS));
  return rows.some((row) => row.class === 'exact' && !replicates(row)) ? EXIT.failure : EXIT.ok;
}

/** The texts of its files, or the name of one that is not there. */
async function textsOf({ files }: Replication, folder: string): Promise<Map<string, string> | string> {
  const texts = new Map<string, string>();
  for (const file of files) {
    const path = join(folder, file);
    try {
      const bytes = await readWhole(path);
      texts.set(file, textOf(file.endsWith('.gz') ? gunzipSync(bytes) : bytes, path));
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return path;
      throw error;
    }
  }
  return texts;
}
