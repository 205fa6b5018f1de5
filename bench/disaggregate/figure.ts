import type { Figure, Spec } from '../report/render.js';
import { colour } from '../report/theme.js';
import type { JudgedCell } from './judge.js';
import { linkText } from './tables.js';

const CELL = { width: 62, height: 26 };

/** The maps of gains, measured beside predicted, and below what requests went into. Undefined without cells. */
export function gainFigure(cells: readonly JudgedCell[]): Figure | undefined {
  if (cells.length === 0) return undefined;
  const pairs = [...new Set(cells.map(({ cell }) => `${cell.prefill} to ${cell.decode}`))];
  const rows = pairs.flatMap((pair) => {
    const own = cells.filter(({ cell }) => `${cell.prefill} to ${cell.decode}` === pair);
    return [{ hconcat: [gainMap(own, pair, 'measured'), gainMap(own, pair, 'predicted')] }, breakdown(own, pair)];
  });
  return {
    id: 'disaggregate',
    title: 'Prompts computed elsewhere',
    caption: 'How many times as fast as the decoding adapter alone, end to end.',
    key: 'Above 1 the pair is faster. Bars: of each cell the upper one is measured, the lower one predicted.',
    spec: { vconcat: rows, spacing: 24, resolve: { scale: { color: 'independent' } } },
  };
}

const sizeOf = ({ cell }: JudgedCell): string => `${cell.n_prompt} in, ${cell.n_gen} out`;

function gainMap(cells: readonly JudgedCell[], pair: string, kind: 'measured' | 'predicted'): Spec {
  const values = cells.map((each) => {
    const gain = (kind === 'measured' ? each.gain : each.predictedGain).overDecode;
    return { size: sizeOf(each), link: linkText(each.cell), gain, text: gain.toFixed(2), step: Math.log2(gain) };
  });
  const inOrder = (key: 'size' | 'link') => [...new Set(values.map((value) => value[key]))];
  return {
    title: `${pair}: gain, ${kind}`,
    data: { values },
    width: { step: CELL.width },
    height: { step: CELL.height },
    encoding: {
      x: { field: 'link', type: 'nominal', sort: inOrder('link'), title: null, axis: { labelAngle: 0 } },
      y: { field: 'size', type: 'nominal', sort: inOrder('size'), title: null },
    },
    layer: [
      {
        mark: 'rect',
        encoding: {
          color: {
            field: 'step',
            type: 'quantitative',
            legend: null,
            scale: { domain: [-1, 0, 1], range: [colour('kind2'), colour('surface'), colour('kind1')], clamp: true },
          },
        },
      },
      { mark: { type: 'text', color: colour('ink'), fontSize: 11 }, encoding: { text: { field: 'text' } } },
    ],
  };
}

const PARTS = [
  ['prefillMs', 'prefill', 'prefill'],
  ['exposedMs', 'exposed', 'kind4'],
  ['tailMs', 'tail', 'kind7'],
  ['decodeMs', 'decode', 'decode'],
] as const;

function breakdown(cells: readonly JudgedCell[], pair: string): Spec {
  const values = cells.flatMap((each) =>
    (['measured', 'predicted'] as const).flatMap((kind) =>
      PARTS.map(([key, part], order) => {
        const name = `${sizeOf(each)}, ${linkText(each.cell)}`;
        // What was there before its prompt was done cannot be drawn, and is nothing that was waited for.
        return { name, kind, part, order, ms: Math.max(0, each[kind][key]) };
      }),
    ),
  );
  const names = [...new Set(values.map(({ name }) => name))];
  return {
    title: `${pair}: what a request went into, ms`,
    data: { values },
    mark: 'bar',
    width: 620,
    height: { step: 7 },
    encoding: {
      y: { field: 'name', type: 'nominal', sort: names, title: null },
      yOffset: { field: 'kind', sort: ['measured', 'predicted'] },
      x: { field: 'ms', type: 'quantitative', title: null },
      order: { field: 'order', type: 'quantitative' },
      color: {
        field: 'part',
        type: 'nominal',
        title: null,
        scale: { domain: PARTS.map(([, part]) => part), range: PARTS.map(([, , role]) => colour(role)) },
      },
    },
  };
}
