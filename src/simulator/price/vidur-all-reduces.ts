import { RidgepointError } from '../../errors.js';
import { numbersOf, parseCsv } from './csv.js';
import { MeasuredTable } from './table.js';

/** Of Vidur's `all_reduce.csv`: milliseconds, bytes that each chip holds, chips, and how many of them share a machine. */
const [MEDIAN, BYTES, CHIPS, TOGETHER] = [
  'time_stats.all_reduce.median',
  'size',
  'num_workers',
  'devices_per_node',
] as const;

/**
 * What all-reduces of so many chips of one machine took, in milliseconds by bytes, as Vidur measured them
 * (microsoft/vidur, `data/profiling/network`). Rows of chips in different machines are left out.
 *
 * @throws RidgepointError naming the file, where it has another format or other numbers of chips
 */
export function vidurAllReduces(text: string, name: string, chips: number): MeasuredTable {
  const { header, rows } = parseCsv(text, name);
  const columns = [MEDIAN, BYTES, CHIPS, TOGETHER];
  const absent = columns.filter((column) => !header.includes(column));
  if (absent.length > 0)
    throw new RidgepointError(
      'usage',
      `${name}: is no all_reduce.csv of Vidur, which has ${absent.join(', ')}; take it away from beside the table of layers, or its copy from Vidur`,
    );
  const known = rows.map((row) => numbersOf(row, columns, name)).filter(([, , all, together]) => all === together);
  const own = known.filter(([, , all]) => all === chips);
  if (own.length === 0)
    throw new RidgepointError(
      'usage',
      `${name}: there are no all-reduces of ${chips} chips in one machine; it has those of ${[...new Set(known.map(([, , all]) => all))].join(', ')}`,
    );
  return new MeasuredTable(own.map(([ms, bytes]) => [bytes, ms]));
}
