import { batchThroughput } from '../../../src/roofline/questions/batch.js';
import type { Comparison } from '../../compare/compare.js';
import type { JoinedPoint } from '../../compare/points.js';
import { figure as digits } from '../../tables/markdown.js';
import type { Figure, Spec } from '../render.js';
import { colour } from '../theme.js';
import { logAxis } from './axes.js';

const SERIES = ['measured', 'predicted', 'memory ceiling', 'compute ceiling'];
const COLOUR = {
  field: 'series',
  type: 'nominal',
  scale: { domain: SERIES, range: [colour('measured'), colour('predicted'), colour('decode'), colour('prefill')] },
};

/** What batching does to one user and to all, with the two ceilings. */
export function batchFigure({ points, predictor }: Comparison): Figure | undefined {
  const sweep = longestSweep(points.filter(({ measure }) => measure === 'tpot'));
  if (sweep.length < 2) return undefined;
  const { context, gen } = sweep[0];
  const largest = Math.max(...sweep.map(({ batch }) => batch));
  const batches = Array.from({ length: largest }, (_, index) => index + 1);
  const { rows, knee } = batchThroughput(predictor, context + Math.floor(gen / 2), batches);
  const predicted = (batch: number): number => (1000 * predictor.decodeSeconds(context, gen - 1, batch)) / (gen - 1);
  const tpot = [
    ...sweep.map(({ batch, measuredMs }) => ({ batch, value: measuredMs, series: 'measured' })),
    ...batches.map((batch) => ({ batch, value: predicted(batch), series: 'predicted' })),
  ];
  const throughput = [
    ...sweep.map(({ batch, measuredMs }) => ({ batch, value: (1000 * batch) / measuredMs, series: 'measured' })),
    ...batches.map((batch) => ({ batch, value: (1000 * batch) / predicted(batch), series: 'predicted' })),
    ...rows.flatMap(({ batch, bandwidthLine, computeCeiling }) => [
      { batch, value: bandwidthLine, series: 'memory ceiling' },
      { batch, value: computeCeiling, series: 'compute ceiling' },
    ]),
  ];
  const first = sweep[0];
  const last = sweep.at(-1)!;
  const gain = (last.batch * first.measuredMs) / (first.batch * last.measuredMs);
  return {
    id: 'batch',
    title: 'Decoding several sequences at once',
    caption:
      `Weights are read once a step however many sequences share it, so a batch brings more tokens for little more time ` +
      `until arithmetic runs out. Here ${last.batch} sequences give ${digits(gain)} times the tokens of ${first.batch}, ` +
      `and each user waits ${digits(last.measuredMs / first.measuredMs)} times as long for a token` +
      (knee === undefined ? '.' : `; the two ceilings cross at a batch of ${digits(knee)}.`),
    key: `Context of ${context} tokens. Ceilings are what peak bandwidth and peak arithmetic alone would allow, at 100 % of either.`,
    spec: {
      hconcat: [
        panel('Time per token of one user (TPOT)', 'ms', tpot, 'linear'),
        panel('Tokens a second of all users', 'tokens/s', throughput, 'log'),
      ],
      spacing: 44,
    },
  };
}

/** The context at which most batches were measured. */
function longestSweep(points: readonly JoinedPoint[]): JoinedPoint[] {
  const contexts = [...new Set(points.map(({ context }) => context))];
  const sweeps = contexts.map((context) => points.filter((point) => point.context === context));
  const longest = sweeps.sort((a, b) => b.length - a.length || b[0].context - a[0].context)[0] ?? [];
  return [...longest].sort((a, b) => a.batch - b.batch);
}

interface Value {
  readonly batch: number;
  readonly value: number;
  readonly series: string;
}

function panel(title: string, unit: string, values: readonly Value[], scale: 'linear' | 'log'): Spec {
  const batches = values.filter(({ series }) => series === 'measured').map(({ batch }) => batch);
  const x = {
    field: 'batch',
    type: 'quantitative',
    scale: { type: 'log', base: 2, domain: [Math.min(...batches) / 1.15, Math.max(...batches) * 1.15], nice: false },
    title: 'batch: sequences that decode together',
    axis: { values: batches, format: 'd', grid: false },
  };
  const all = values.map(({ value }) => value);
  const y =
    scale === 'log'
      ? logAxis('value', [Math.min(...all) / 1.3, Math.max(...all) * 1.3], unit)
      : { field: 'value', type: 'quantitative', scale: { zero: true }, title: unit, axis: { tickCount: 6 } };
  const layer = (belongs: (value: Value) => boolean, mark: object) => ({
    data: { values: values.filter(belongs) },
    mark,
    encoding: { x, y, color: COLOUR },
  });
  return {
    title,
    width: 310,
    height: 280,
    layer: [
      layer(({ series }) => series.endsWith('ceiling'), { type: 'line', strokeDash: [5, 4], strokeWidth: 1.5 }),
      layer(({ series }) => series === 'predicted', { type: 'line', strokeWidth: 2 }),
      layer(({ series }) => series === 'measured', { type: 'point', filled: true, size: 70, opacity: 1 }),
    ].filter(({ data }) => data.values.length > 0),
  };
}
