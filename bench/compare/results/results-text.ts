import { csvLines } from '../../tables/csv.js';
import { figure, markdownTable } from '../../tables/markdown.js';
import type { Measure } from '../points.js';
import type { ResultsComparison } from './compare-results.js';
import type { Ratio } from './ratio.js';

const NAMES: Readonly<Record<Measure, string>> = {
  ttft: 'prefill: time to the first token (TTFT)',
  tpot: 'decode: time a token (TPOT)',
  pp: 'prefill, single steps (pp)',
  tg: 'decode, single steps (tg)',
};

/** `1.21 (1.18 to 1.25)`. */
function ratioText(ratio: Ratio | undefined): string {
  if (ratio === undefined) return '-';
  const { value, low, high } = ratio;
  return low === undefined ? value.toFixed(2) : `${value.toFixed(2)} (${low.toFixed(2)} to ${high!.toFixed(2)})`;
}

/** Results beside each other, as Markdown that reads well in a terminal. */
export function resultsText({ results, conditions, measures, points }: ResultsComparison): string {
  const names = results.map(({ name }) => name);
  const others = names.slice(1);
  const unlike = conditions.filter(({ differs, isWork }) => differs && isWork).map(({ name }) => name);
  const conditionRows = conditions.map(({ name, values, differs, isWork }) => [
    !differs ? name : isWork ? `${name}: UNLIKE` : `${name}: differs`,
    ...values,
  ]);
  const measureRows = measures.map(({ measure, cells }) => [
    NAMES[measure],
    ...cells.slice(1).flatMap((cell) => [cell === undefined ? '-' : String(cell.points), ratioText(cell?.ratio)]),
  ]);
  const pointRows = points.map(({ id, cells }) => [
    id,
    ...cells.flatMap((cell, at) => [figure(cell?.ms), ...(at === 0 ? [] : [ratioText(cell?.ratio)])]),
  ]);
  const right = (count: number): boolean[] => Array.from({ length: count }, (_, at) => at > 0);
  const measureHead = ['phase', ...others.flatMap((name) => ['points', `${name} / ${names[0]}`])];
  const pointHead = ['point', ...names.flatMap((name, at) => [`${name}, ms`, ...(at === 0 ? [] : ['ratio'])])];
  const conditionHead = ['measured with', ...names];
  const head =
    `Times as multiples of those of ${names[0]}: above 1 is slower. Medians; the interval is where 95 of 100 repetitions ` +
    `of the measurement would put the ratio. A phase is the geometric mean over its points.`;
  const warning =
    unlike.length === 0
      ? []
      : [`Unlike conditions: ${unlike.join(', ')}. The ratios tell of these, too, and not of the machines alone.`];
  const cut = results.filter(({ result }) => !result.complete).map(({ name }) => name);
  const incomplete = cut.length === 0 ? [] : [`Stopped before all was measured: ${cut.join(', ')}.`];
  const sections = [
    `## By phase\n\n${markdownTable(measureHead, measureRows, right(measureHead.length))}`,
    `## By point\n\n${markdownTable(pointHead, pointRows, right(pointHead.length))}`,
    `## Measured with\n\n${markdownTable(
      conditionHead,
      conditionRows,
      conditionHead.map(() => false),
    )}`,
  ];
  return `${[head, ...warning, ...incomplete, ...sections].join('\n\n')}\n`;
}

/** One line a point and result. */
export function resultsCsv({ results, points }: ResultsComparison): string {
  const rows = points.flatMap(({ id, measure, cells }) =>
    cells.flatMap((cell, at) => {
      if (cell === undefined) return [];
      const { ms, runs, ratio } = cell;
      const { name, result } = results[at];
      const { adapter, driver } = result.context;
      return [[name, adapter, driver, measure, id, runs, ms, ratio?.value, ratio?.low, ratio?.high]];
    }),
  );
  const head = ['result', 'adapter', 'driver', 'measure', 'point', 'runs', 'median_ms', 'ratio', 'low', 'high'];
  return csvLines([head, ...rows]);
}
