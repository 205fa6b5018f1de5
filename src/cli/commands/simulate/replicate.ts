import { gunzipSync } from 'node:zlib';
import { join } from 'node:path';
import { RidgepointError } from '../../../errors.js';
import { codeOf } from '../../../platform/node/disk.js';
import { readWhole } from '../../../platform/node/read-whole.js';
import { REPLICATIONS } from '../../../published/replications/index.js';
import {
  asPrinted,
  replicationDifference,
  replicates,
  type ReplicatedFigure,
  type Replication,
} from '../../../published/replications/replication.js';
import { csvTable, records, textTable, type Column } from '../../terminal/table.js';
import { textOf } from '../../text-file.js';
import { print, status } from '../../terminal/output.js';
import { EXIT, stopSignal } from '../../run.js';
import { remark } from '../../terminal/style.js';
import type { FlagsIn } from '../../options/command-table.js';
import { SIMULATE } from './flags.js';
import type { OutputFlags } from './options.js';
import { turn } from './patient.js';
import { phaseBars, type ReportFigure } from './report/figures.js';
import { writeSimulationReport } from './report/write.js';

interface Row extends ReplicatedFigure {
  readonly name: string;
}

const percent = (row: Row): string => {
  const difference = replicationDifference(row);
  return difference === undefined ? '' : `${(100 * difference).toFixed(1)} %`;
};
const PHASES = ['prefill', 'transfer', 'decode'] as const;
const VERDICTS = { true: 'yes', false: 'NO', undefined: '' };

const COLUMNS: readonly Column<Row>[] = [
  { head: 'run', key: 'name', value: ({ name }) => name, text: ({ name }) => name },
  { head: 'figure', key: 'figure', value: ({ figure }) => figure, text: ({ figure }) => figure },
  { head: 'published', key: 'published', value: ({ published }) => published, text: ({ published }) => published },
  { head: 'ours', key: 'ours', value: ({ ours }) => ours, text: (row) => asPrinted(row) },
  { head: 'difference', key: 'difference', value: replicationDifference, text: percent },
  { head: 'class', key: 'class', value: (row) => row.class, text: (row) => row.class },
  { head: '', key: 'replicates', value: replicates, text: (row) => VERDICTS[`${replicates(row)}`] },
  { head: 'why', key: 'why', value: ({ why }) => why },
];

/** The columns of a table that is of one run. */
const SHOWN = COLUMNS.filter(({ key }) => key !== 'name');

const titleOf = (name: string): string => `${name}: ${REPLICATIONS.find((each) => each.name === name)!.about}`;
const whysOf = (rows: readonly Row[]): string[] => [...new Set(rows.flatMap(({ why }) => why ?? []))];

/** What has parts, drawn as bars; a drawing a run. */
function drawings(rows: readonly Row[]): ReportFigure[] {
  return [...new Set(rows.filter(({ bar }) => bar).map(({ name }) => name))].map((run) => {
    const parts = rows.flatMap(({ name, bar }) =>
      name === run && bar ? PHASES.map((part) => ({ bar: bar.name, part, value: bar[part] })) : [],
    );
    return phaseBars(`${run}: where the time of a request goes`, 'As it comes out here.', parts);
  });
}

/** Tables of a run each, and below what is to be said of their figures; what stands for several is said once. */
function tables(rows: readonly Row[]): string {
  return [...new Set(rows.map(({ name }) => name))]
    .map((name) => {
      const own = rows.filter((row) => row.name === name);
      const whys = whysOf(own).map((why) => `  ${why}\n`);
      return `${titleOf(name)}\n\n${textTable(own, SHOWN)}${whys.length > 0 ? `\n${whys.join('')}` : ''}`;
    })
    .join('\n\n');
}

/**
 * `ridgepoint simulate replicate`: published runs again, beside ours.
 *
 * @returns the exit code: 1 where an exact figure is not exact
 * @throws RidgepointError when there is no replication of that name, or its data is not there
 */
export async function replicateCommand(
  name: string | undefined,
  flags: OutputFlags & FlagsIn<typeof SIMULATE.replicate>,
): Promise<number> {
  const chosen = REPLICATIONS.filter((each) => (name === undefined ? !(flags.short && each.long) : each.name === name));
  if (chosen.length === 0) {
    throw new RidgepointError(
      'usage',
      `${JSON.stringify(name)} is no replication; there are ${REPLICATIONS.map((each) => each.name).join(', ')}`,
    );
  }
  const tell = !(flags.quiet ?? false);
  const rows: Row[] = [];
  const missing: string[] = [];
  for (const replication of chosen) {
    if (stopSignal.aborted) break;
    const texts = await textsOf(replication, flags.data ?? SIMULATE.replicate.data.default);
    if (typeof texts === 'string') {
      missing.push(`${replication.name} needs ${texts}`);
      continue;
    }
    if (tell && process.stderr.isTTY) status(`${replication.name} ...`);
    try {
      const figures = await replication.run({ read: (file) => texts.get(file)!, turn, seeds: flags.seeds });
      rows.push(...figures.map((figure) => ({ ...figure, name: replication.name })));
    } catch (error) {
      // What is done by then is shown.
      if (!stopSignal.aborted) throw error;
    }
  }
  if (tell && process.stderr.isTTY) status();
  const where = '--data says where the data is, docs/simulator.md where to get it';
  if (name !== undefined && missing.length > 0) throw new RidgepointError('usage', `${missing[0]}; ${where}`);
  if (flags.json) print(`${JSON.stringify({ rows: records(rows, COLUMNS), missing }, null, 2)}\n`);
  else print(flags.csv ? csvTable(rows, COLUMNS) : tables(rows));
  if (flags.report !== undefined) {
    await writeSimulationReport(flags.report, {
      title: 'Published runs, made again',
      figures: drawings(rows),
      tables: [...new Set(rows.map((row) => row.name))].map((run) => {
        const own = rows.filter((row) => row.name === run);
        return { title: titleOf(run), rows: own, columns: SHOWN, remarks: whysOf(own) };
      }),
    });
  }
  if (tell && missing.length > 0) remark(`not run: ${missing.join('; ')}; ${where}`);
  if (tell && stopSignal.aborted) remark('stopped; this is what was done until then');
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
