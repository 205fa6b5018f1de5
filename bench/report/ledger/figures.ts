import type { JudgedRow } from '../../../src/published/ledger/judge.js';
import type { Metric } from '../../../src/published/ledger/row.js';
import type { Domain } from '../figures/axes.js';
import { diagonal, diagonalAxes } from '../figures/diagonal.js';
import type { Figure, Spec } from '../render.js';
import { colour, type ColourRole } from '../theme.js';

/** A measurement as marks show it. */
interface Mark {
  readonly measuredMs: number;
  readonly predictedMs: number;
  readonly engine: string;
  readonly rows: 'unseen' | 'seen';
}

const TITLES: Readonly<Record<Metric, string>> = {
  ttft: 'TTFT: until the first token',
  tpot: 'TPOT: for each token after it',
  e2e: 'E2E: whole requests',
};
const HUES: readonly ColourRole[] = ['kind1', 'kind2', 'kind4', 'kind6', 'measured', 'kind3', 'kind5', 'kind7'];

/** An engine in all its versions. */
export const engineOf = ({ engine, version }: JudgedRow): string => (version === '2024' ? `${engine} 2024` : engine);

/** Every measurement against its prediction; on the diagonal a prediction is right. */
export function scatterFigure(rows: readonly JudgedRow[]): Figure | undefined {
  const engines = [...new Set(rows.map(engineOf))];
  const metrics = (['ttft', 'tpot', 'e2e'] as const).filter((metric) => rows.some((row) => row.metric === metric));
  if (metrics.length === 0) return undefined;
  const panels = metrics.map((metric) => panel(rows, metric, engines));
  return {
    id: 'predicted-and-measured',
    title: 'Predicted against measured',
    caption: 'Each mark is one public measurement: filled where no fit has seen it, hollow where one has.',
    key: 'On the solid line the prediction is exact; the dashed ones are a quarter more and less. Above the line it promises more time than was measured, below it less.',
    spec: { hconcat: panels, spacing: 34, resolve: { scale: { color: 'shared' } } },
  };
}

function panel(rows: readonly JudgedRow[], metric: Metric, engines: readonly string[]): Spec {
  const marks = rows
    .filter((row) => row.metric === metric)
    .map((row): Mark => {
      const { ms: measuredMs, predictedMs, fit } = row;
      return { measuredMs, predictedMs, engine: engineOf(row), rows: fit ? 'seen' : 'unseen' };
    });
  const all = marks.flatMap(({ measuredMs, predictedMs }) => [measuredMs, predictedMs]);
  const domain: Domain = [Math.min(...all) / 1.4, Math.max(...all) * 1.4];
  const axes = diagonalAxes(domain);
  const color = {
    field: 'engine',
    type: 'nominal',
    scale: { domain: engines, range: engines.map((_, at) => colour(HUES[at % HUES.length])) },
  };
  const points = (filled: boolean): Spec => ({
    data: { values: marks.filter((mark) => (mark.rows === 'unseen') === filled) },
    mark: { type: 'point', filled, size: filled ? 34 : 26, opacity: filled ? 0.75 : 0.6 },
    encoding: { ...axes, color },
  });
  return {
    title: TITLES[metric],
    width: 250,
    height: 250,
    layer: [diagonal(domain, 1), diagonal(domain, 1.25), diagonal(domain, 0.75), points(false), points(true)],
  };
}

/** How far off every prediction of a group is. */
interface Miss {
  readonly group: string;
  readonly error: number;
  readonly phase: string;
}

/** Errors beyond this are drawn at the edge. */
const EDGE = 0.6;

/** Errors of the measurements that no fit has seen, a line for each device and engine. */
export function missFigure(rows: readonly JudgedRow[]): Figure | undefined {
  const misses = rows
    .filter(({ fit }) => !fit)
    .map((row): Miss => {
      const error = Math.max(-EDGE, Math.min(EDGE, row.error));
      return { group: `${row.device}, ${engineOf(row)}`, error, phase: row.metric.toUpperCase() };
    });
  if (misses.length === 0) return undefined;
  const groups = [...new Set(misses.map(({ group }) => group))].sort();
  const y = { field: 'group', type: 'nominal', sort: groups, title: null, axis: { labelLimit: 260 } };
  return {
    id: 'errors',
    title: 'How far off, by device and engine',
    caption: `Measurements that no fit has seen. Left of the line the prediction promises less time than was measured, right of it more; ${100 * EDGE} % and what is beyond are drawn at the edge.`,
    key: 'The tick is the mean of its line.',
    spec: {
      width: 520,
      height: { step: 24 },
      layer: [
        { data: { values: [{ error: 0 }] }, mark: { type: 'rule', color: colour('ink') }, encoding: { x: axis() } },
        {
          data: { values: misses },
          mark: { type: 'point', filled: true, size: 26, opacity: 0.45 },
          encoding: {
            x: axis(),
            y,
            color: {
              field: 'phase',
              type: 'nominal',
              scale: {
                domain: ['TTFT', 'TPOT', 'E2E'],
                range: [colour('prefill'), colour('decode'), colour('measured')],
              },
            },
          },
        },
        {
          data: { values: misses },
          mark: { type: 'tick', color: colour('ink'), thickness: 2, size: 16 },
          encoding: { x: { ...axis(), aggregate: 'mean' }, y },
        },
      ],
    },
  };
}

const axis = (): Spec => ({
  field: 'error',
  type: 'quantitative',
  scale: { domain: [-EDGE, EDGE] },
  title: 'predicted over measured, less one',
  axis: { format: '+.0%' },
});
