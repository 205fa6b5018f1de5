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

/** A table of numbers as colours, with the numbers in it. */
export function heatmap(title: string, cells: readonly Cell[], names: HeatmapNames): ReportFigure {
  const order = (key: 'x' | 'y'): string[] => [...new Set(cells.map((cell) => cell[key]))];
  const position = {
    x: { field: 'x', type: 'ordinal', sort: order('x'), title: names.x, axis: { labelAngle: 0 } },
    y: { field: 'y', type: 'ordinal', sort: order('y').reverse(), title: names.y },
  };
  const far = Math.max(...cells.map(({ value }) => Math.abs(Math.log(value / names.even))), 0.01);
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
              scale: { domain: [-far, 0, far], range: [colour('kind2'), colour('surface'), colour('kind1')] },
              legend: null,
            },
          },
        },
        {
          mark: { type: 'text', fontSize: 11, color: colour('ink') },
          encoding: { ...position, text: { field: 'value', type: 'quantitative', format: '.2f' } },
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

/** Bars of parts that follow each other, in the order and the colours given. */
export function stackedBars(
  title: string,
  caption: string,
  parts: readonly Part[],
  { unit, colours }: { readonly unit: string; readonly colours: readonly (readonly [part: string, colour: string])[] },
): ReportFigure {
  const bars = [...new Set(parts.map(({ bar }) => bar))];
  const names = colours.map(([part]) => part);
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
        x: { field: 'value', type: 'quantitative', title: unit },
        order: { field: 'order' },
        color: {
          field: 'part',
          type: 'nominal',
          sort: names,
          scale: { domain: names, range: colours.map(([, value]) => value) },
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
          scale: names.log ? { type: 'log' } : { zero: false },
          axis: { format: '~s' },
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
