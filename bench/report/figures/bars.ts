import type { Spec } from '../render.js';
import { colour } from '../theme.js';

/** A part of a stacked bar. */
export interface BarPart {
  /** What the pair of bars is of. */
  readonly name: string;
  readonly series: 'measured' | 'predicted';
  readonly part: string;
  readonly value: number;
  /** Parts stand in this order from the left. */
  readonly order: number;
}

export interface BarOptions {
  readonly parts: readonly (readonly [name: string, colour: string])[];
  readonly title: string;
  readonly axis?: object;
  readonly scale?: object;
  /** Behind a bar, for example its length in words. */
  readonly end?: (total: number) => string;
}

const PAIR = 54;

/** Pairs of stacked bars, measured above predicted. */
export function pairedBars(bars: readonly BarPart[], { parts, title, axis = {}, scale = {}, end }: BarOptions): Spec {
  const names = [...new Set(bars.map(({ name }) => name))];
  const ends = names.flatMap((name) =>
    (['measured', 'predicted'] as const).map((series) => {
      const total = bars
        .filter((bar) => bar.name === name && bar.series === series)
        .reduce((sum, { value }) => sum + value, 0);
      return { name, series, value: total, text: end === undefined ? series : `${series}, ${end(total)}` };
    }),
  );
  const y = {
    field: 'name',
    type: 'nominal',
    sort: names,
    title: null,
    scale: { paddingInner: 0.28, paddingOuter: 0.1 },
    axis: {
      domain: false,
      ticks: false,
      labelFontSize: 12,
      labelColor: colour('ink'),
      labelLimit: 0,
      labelPadding: 10,
    },
  };
  const yOffset = { field: 'series', sort: ['measured', 'predicted'], scale: { paddingInner: 0.12 } };
  return {
    width: 500,
    height: PAIR * names.length,
    layer: [
      {
        data: { values: bars },
        mark: { type: 'bar', stroke: colour('surface'), strokeWidth: 1 },
        encoding: {
          y,
          yOffset,
          x: { field: 'value', type: 'quantitative', title, stack: 'zero', scale, axis },
          color: {
            field: 'part',
            type: 'nominal',
            scale: { domain: parts.map(([name]) => name), range: parts.map(([, hue]) => hue) },
            legend: { symbolType: 'square', labelLimit: 0, columnPadding: 14, columns: parts.length },
          },
          order: { field: 'order' },
        },
      },
      {
        data: { values: ends },
        mark: { type: 'text', align: 'left', dx: 6, color: colour('soft') },
        encoding: { y, yOffset, x: { field: 'value', type: 'quantitative' }, text: { field: 'text' } },
      },
    ],
  };
}
