import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { KeptLines } from '../../../platform/node/kept-lines.js';
import { RidgepointError } from '../../../errors.js';
import { EXIT, stopSignal } from '../../run.js';
import { csvTable, records, textTable, type Column } from '../../terminal/table.js';
import { print, status } from '../../terminal/output.js';
import { remark } from '../../terminal/style.js';
import type { FlagsIn } from '../../options/command-table.js';
import type { SIMULATE } from './flags.js';
import type { OutputFlags } from './options.js';
import { outcomeColumns, type OutcomeRow } from './outcome-row.js';
import { points as cloud } from './report/figures.js';
import { writeSimulationReport } from './report/write.js';
import { paretoOf } from './pareto.js';
import { keepHeapLean } from './lean-heap.js';
import { readStudy, resolvePoint, studyJsonSchema, type StudyPoint } from './study.js';
import type { SweepAnswer, SweepTask } from './sweep-point.js';
import { drawPoints, settingName } from './sweep-window.js';

export type SweepFlags = OutputFlags & FlagsIn<typeof SIMULATE.window> & FlagsIn<typeof SIMULATE.sweep>;

/** A line of the file of results. */
interface SweepLine {
  /** The point whole, so that a changed study finds none of its old results. */
  readonly point: StudyPoint['content'];
  readonly outcome: OutcomeRow;
}

type Row = OutcomeRow & { readonly settings: StudyPoint['settings']; readonly best: boolean };

/** `ridgepoint simulate sweep`: every combination of a study's values. @returns the exit code */
export async function sweepCommand(path: string | undefined, flags: SweepFlags): Promise<number> {
  if (flags.schema) {
    print(`${JSON.stringify(studyJsonSchema(), null, 2)}\n`);
    return EXIT.ok;
  }
  if (path === undefined)
    throw new RidgepointError(
      'usage',
      'say which study: a JSON file, of which "ridgepoint simulate sweep --schema" prints the format; a value may be a list of values',
    );
  const points = await readStudy(path);
  // What is wrong with a point is told before any runs.
  for (const point of points) await resolvePoint(point, path);
  const output = flags.output ?? path.replace(/(\.json)?$/, '.results.jsonl');
  const kept = await KeptLines.open(output, '{"point":');
  try {
    return await sweep(points, path, kept, flags);
  } finally {
    await kept.close();
  }
}

async function sweep(points: readonly StudyPoint[], path: string, kept: KeptLines, flags: SweepFlags): Promise<number> {
  const output = kept.path;
  const known = readResults(kept);
  const keys = points.map(({ content }) => JSON.stringify(content));
  const open = points.filter((_, at) => !known.has(keys[at]));
  const tell = !(flags.quiet ?? false);
  if (tell && open.length < points.length)
    remark(`${points.length - open.length} of ${points.length} points are in ${output} already`);
  let done = points.length - open.length;
  await runAll(open, path, Math.min(flags.threads ?? availableParallelism(), open.length), async (point, outcome) => {
    const line: SweepLine = { point: point.content, outcome };
    known.set(JSON.stringify(point.content), outcome);
    await kept.add(JSON.stringify(line));
    done++;
    if (tell && process.stderr.isTTY) status(`${done} of ${points.length} ...`);
  });
  if (tell && process.stderr.isTTY) status();
  // In the order of the study, whichever thread was first.
  const lines = points.flatMap(({ content }, at) => {
    const outcome = known.get(keys[at]);
    return outcome === undefined ? [] : [JSON.stringify({ point: content, outcome } satisfies SweepLine)];
  });
  await kept.replace(lines);
  const finished = points.flatMap((point, at) => {
    const outcome = known.get(keys[at]);
    return outcome === undefined ? [] : [{ point, outcome }];
  });
  const best = paretoOf(finished.map(({ outcome }) => outcome));
  const rows = finished.map(({ point: { settings }, outcome }, at): Row => ({
    ...outcome,
    settings,
    best: best.has(at),
  }));
  const columns = columnsOf(points[0]);
  if (flags.json) print(`${JSON.stringify({ rows: records(rows, columns) }, null, 2)}\n`);
  else print(flags.csv ? csvTable(rows, columns) : textTable(rows, columns));
  if (flags.report !== undefined) await report(flags.report, path, rows, columns);
  const { traceWindow: window } = flags;
  if (window !== undefined && !stopSignal.aborted) {
    const drawn = finished.filter((_, at) => best.has(at)).map(({ point }) => point);
    const count = await drawPoints(drawn, path, window);
    if (tell) remark(`${window.path} holds ${count} of the ${drawn.length} combinations marked *`);
  }
  if (tell && stopSignal.aborted)
    remark(`stopped; ${output} holds what was done, and the same command goes on from there`);
  return EXIT.ok;
}

/** What a file of results holds. @throws RidgepointError ('usage') naming the line that is no result */
function readResults({ path, lines }: KeptLines): Map<string, OutcomeRow> {
  const known = new Map<string, OutcomeRow>();
  lines.forEach((line, at) => {
    if (line === '') return;
    try {
      const { point, outcome } = JSON.parse(line) as SweepLine;
      known.set(JSON.stringify(point), outcome);
    } catch (cause) {
      const message = `${path}: line ${at + 1} is no result of a sweep; --output names another file`;
      throw new RidgepointError('usage', message, { cause });
    }
  });
  return known;
}

/** Runs points on so many threads, each as soon as one is free. */
async function runAll(
  points: readonly StudyPoint[],
  path: string,
  threads: number,
  onDone: (point: StudyPoint, outcome: OutcomeRow) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    keepHeapLean();
    const worker = new Worker(new URL('./sweep-worker.js', import.meta.url));
    try {
      while (next < points.length && !stopSignal.aborted) {
        const point = points[next++];
        const answer = await ask(worker, { point, path });
        if (answer === undefined) return;
        if ('error' in answer) throw new RidgepointError('usage', answer.error);
        await onDone(point, answer.outcome);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: threads }, lane));
}

/** @returns undefined where somebody asked to stop meanwhile */
function ask(worker: Worker, task: SweepTask): Promise<SweepAnswer | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      worker.off('message', onMessage).off('error', onError);
      stopSignal.removeEventListener('abort', onStop);
      act();
    };
    const onMessage = (answer: SweepAnswer): void => settle(() => resolve(answer));
    const onError = (error: Error): void => settle(() => reject(error));
    const onStop = (): void => settle(() => resolve(undefined));
    worker.on('message', onMessage).on('error', onError);
    if (stopSignal.aborted) return onStop();
    stopSignal.addEventListener('abort', onStop);
    worker.postMessage(task);
  });
}

function columnsOf({ settings }: StudyPoint): Column<Row>[] {
  return [
    ...settings.map(({ name }, at): Column<Row> => ({
      head: settingName(name),
      key: name,
      value: (row) => row.settings[at].value,
      text: (row) => String(row.settings[at].value),
    })),
    ...outcomeColumns<Row>(),
    { head: 'best', key: 'pareto', value: ({ best }) => best, text: ({ best }) => (best ? '*' : '') },
  ];
}

async function report(
  path: string,
  study: string,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
): Promise<void> {
  const values = rows.flatMap(({ ttft_p90_ms: x, tpot_p90_ms: y, met, overloaded }) =>
    x === null || y === null
      ? []
      : [{ x, y, series: overloaded ? 'overloaded' : met === false ? 'SLO missed' : met ? 'SLO met' : 'no SLO asked' }],
  );
  await writeSimulationReport(path, {
    title: `Study ${study}`,
    lead: `${rows.length} combinations, each simulated.`,
    figures: [
      cloud('First token against further ones', 'A point a combination, both at the 90th percentile.', values, {
        x: 'TTFT p90, ms',
        y: 'TPOT p90, ms',
        log: true,
      }),
    ],
    tables: [{ title: 'All combinations', rows, columns }],
  });
}
