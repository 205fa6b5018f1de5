import type { Figure } from '../../../../../bench/report/render.js';
import { colour } from '../../../../../bench/report/theme.js';

/** A drawing of a report, whose file needs no name. */
export type ReportFigure = Omit<Figure, 'id'>;

/** What one colour of a heatmap stands for. */
export interface Cell {
  readonly x: string;
  readonly y: string;
  readonly value: number;
}

interface HeatmapNames {
  readonly x: string;
  readonly y: string;
  readonly value: string;
  /** The value that is neither gain nor loss, which is drawn without colour. */
  readonly even: number;
}

/**
 * Between two colours there is none that the page could replace by another at night, so these stay as they are too: next
 * to nothing beside the page's surface and ink, which are replaced.
 */
const [EVEN, ON_WEAK, ON_STRONG] = ['#fdfcfb', '#1d1c1b', '#ffffff'];
/** Half or twice the even value has the strongest colour, so that a colour means the same in all maps. */
const FAR = Math.log(2);
/** The share of it from which letters are light. */
const STRONG = 0.7;

/** A table of numbers as colours, with the numbers in it. */
export function heatmap(title: string, cells: readonly Cell[], names: HeatmapNames): ReportFigure {
  const order = (key: 'x' | 'y'): string[] => [...new Set(cells.map((cell) => cell[key]))];
  const position = {
    x: { field: 'x', type: 'ordinal', sort: order('x'), title: names.x, axis: { labelAngle: 0 } },
    y: { field: 'y', type: 'ordinal', sort: order('y').reverse(), title: names.y },
  };
  return {
    title,
    caption: '',
    spec: {
      width: 500,
      height: 34 * order('y').length,
      data: { values: cells.map((cell) => ({ ...cell, strength: Math.log(cell.value / names.even) })) },
      layer: [
        {
          mark: { type: 'rect', stroke: colour('surface'), strokeWidth: 2 },
          encoding: {
            ...position,
            color: {
              field: 'strength',
              type: 'quantitative',
              scale: {
                domain: [-FAR, 0, FAR],
                clamp: true,
                range: [colour('kind2'), EVEN, colour('kind1')],
                interpolate: 'rgb',
              },
              legend: null,
            },
          },
        },
        {
          mark: { type: 'text', fontSize: 11 },
          encoding: {
            ...position,
            text: { field: 'value', type: 'quantitative', format: '.2f' },
            color: {
              condition: { test: `abs(datum.strength) > ${STRONG * FAR}`, value: ON_STRONG },
              value: ON_WEAK,
            },
          },
        },
      ],
    },
  };
}

/** A part of a bar. */
export interface Part {
  readonly bar: string;
  readonly part: string;
  readonly value: number;
}

const PHASES = [
  ['queue', 'kind7'],
  ['prefill', 'prefill'],
  ['transfer', 'measured'],
  ['decode', 'decode'],
] as const;

/** Bars of what requests spend their time on, in milliseconds, in the order in which it happens. */
export function phaseBars(
  title: string,
  caption: string,
  parts: readonly (Part & { readonly part: (typeof PHASES)[number][0] })[],
): ReportFigure {
  const bars = [...new Set(parts.map(({ bar }) => bar))];
  const names = PHASES.map(([part]) => part).filter((name) => parts.some(({ part }) => part === name));
  const colours = PHASES.filter(([part]) => names.includes(part)).map(([, role]) => colour(role));
  return {
    title,
    caption,
    spec: {
      width: 500,
      height: 30 * bars.length + 20,
      data: { values: parts.map((part) => ({ ...part, order: names.indexOf(part.part) })) },
      mark: { type: 'bar', stroke: colour('surface'), strokeWidth: 1 },
      encoding: {
        y: {
          field: 'bar',
          type: 'nominal',
          sort: bars,
          title: null,
          axis: { labelLimit: 200, domain: false, ticks: false },
        },
        x: { field: 'value', type: 'quantitative', title: 'ms' },
        order: { field: 'order' },
        color: {
          field: 'part',
          type: 'nominal',
          sort: names,
          scale: { domain: names, range: colours },
          legend: { title: null, orient: 'bottom' },
        },
      },
    },
  };
}

/** A point of a line, or of a cloud. */
export interface Mark {
  readonly x: number;
  readonly y: number;
  readonly series: string;
}

interface MarkNames {
  readonly x: string;
  readonly y: string;
  readonly log?: boolean;
}

const KINDS = ['kind1', 'kind2', 'kind4', 'measured', 'kind6', 'kind7'] as const;

function marks(title: string, caption: string, values: readonly Mark[], names: MarkNames, mark: object): ReportFigure {
  const series = [...new Set(values.map((value) => value.series))];
  return {
    title,
    caption,
    spec: {
      width: 500,
      height: 260,
      data: { values },
      mark,
      encoding: {
        x: {
          field: 'x',
          type: 'quantitative',
          title: names.x,
          ...axisOf(values, names.log ?? false),
        },
        y: { field: 'y', type: 'quantitative', title: names.y, scale: { zero: false } },
        color: {
          field: 'series',
          type: 'nominal',
          sort: series,
          scale: { domain: series, range: series.map((_, at) => colour(KINDS[at % KINDS.length])) },
          legend: series.length > 1 ? { title: null, orient: 'bottom' } : null,
        },
      },
    },
  };
}

/** The axis of x: by powers of ten only where there are some, from the least value to the most, with marks at 1, 2 and 5. */
function axisOf(values: readonly Mark[], log: boolean): object {
  const [least, most] = [Math.min(...values.map(({ x }) => x)), Math.max(...values.map(({ x }) => x))];
  if (!log || !(least > 0) || most / least < POWERS) return { scale: { zero: false }, axis: LABELS };
  const ticks: number[] = [];
  for (let power = 10 ** Math.floor(Math.log10(least)); power <= most; power *= 10)
    ticks.push(...[1, 2, 5].map((each) => each * power).filter((each) => each >= least && each <= most));
  return {
    scale: { type: 'log', nice: false, domain: [least / AROUND, most * AROUND] },
    axis: { ...LABELS, values: ticks },
  };
}

/** Thousands as 1k; below one 0.5, not 500m. */
const LABELS = { labelExpr: "format(datum.value, datum.value < 1000 ? '~r' : '~s')" };

/** Room at both ends of an axis by powers. */
const AROUND = 1.08;

/** The most over the least value, from which an axis goes by powers. */
const POWERS = 10;

export const lines = (title: string, caption: string, values: readonly Mark[], names: MarkNames): ReportFigure =>
  marks(title, caption, values, names, { type: 'line', strokeWidth: 2 });

export const points = (title: string, caption: string, values: readonly Mark[], names: MarkNames): ReportFigure =>
  marks(title, caption, values, names, { type: 'point', filled: true, size: 60 });

const SHARES = 101;

/** The share of samples below each value, on a hundred points. */
export function distribution(series: string, samples: readonly number[]): Mark[] {
  if (samples.length === 0) return [];
  const sorted = Float64Array.from(samples).sort();
  return Array.from({ length: SHARES }, (_, at) => ({
    series,
    x: sorted[Math.min(sorted.length - 1, Math.floor((at / (SHARES - 1)) * sorted.length))],
    y: at / (SHARES - 1),
  })).filter(({ x }) => x > 0);
}
