import type { Comparison } from '../../compare/compare.js';
import type { JoinedPhase } from '../../compare/operations.js';
import { figure as digits } from '../../tables/markdown.js';
import type { Figure } from '../render.js';
import { colour } from '../theme.js';

/** Kinds that take less of a phase than this go without a name beside their mark. */
const NAMED_FROM = 0.06;

/** The profiles a reader compares: the longest prefill, and one sequence decoding. */
export function chosenPhases(phases: readonly JoinedPhase[]): JoinedPhase[] {
  const prefill = phases.filter(({ phase }) => phase === 'prefill').sort((a, b) => b.tokens - a.tokens)[0];
  const decode = phases.filter(({ phase }) => phase === 'decode').sort((a, b) => a.batch - b.batch)[0];
  return [prefill, decode].filter((each) => each !== undefined);
}

/** Every kind of operation of both phases under the two ceilings of the hardware. */
export function rooflineFigure({ phases, predictor, hardware }: Comparison): Figure | undefined {
  const chosen = chosenPhases(phases);
  if (chosen.length === 0) return undefined;
  const peak = predictor.pricer.peak.rate / 1e9;
  const bandwidth = hardware.bandwidth / 1e9;
  const ridge = peak / bandwidth;
  const points = chosen.flatMap(({ phase, kinds, measuredMs }) =>
    kinds
      .filter(({ intensity, flopsPerSecond }) => intensity > 0 && flopsPerSecond > 0)
      .map((each) => ({
        phase,
        name: each.name,
        intensity: each.intensity,
        rate: each.flopsPerSecond / 1e9,
        share: each.measuredMs / measuredMs,
      })),
  );
  if (points.length === 0) return undefined;
  const labels = placed(points.filter(({ share }) => share >= NAMED_FROM));
  const low = Math.min(ridge / 30, ...points.map(({ intensity }) => intensity)) / 1.6;
  const high = Math.max(ridge * 12, ...points.map(({ intensity }) => intensity)) * 1.6;
  const roof = [
    { intensity: low, rate: low * bandwidth },
    { intensity: ridge, rate: peak },
    { intensity: high, rate: peak },
  ];
  const floor = Math.min(...points.map(({ rate }) => rate), low * bandwidth) / 2;
  const x = {
    field: 'intensity',
    type: 'quantitative',
    scale: { type: 'log', domain: [low, high], nice: false },
    title: 'arithmetic intensity, FLOPs per byte moved',
    axis: { format: '~g', tickCount: 8 },
  };
  const y = {
    field: 'rate',
    type: 'quantitative',
    scale: { type: 'log', domain: [floor, peak * 3], nice: false },
    title: 'GFLOP/s',
    axis: { format: '~g', tickCount: 6 },
  };
  const phase = {
    field: 'phase',
    type: 'nominal',
    scale: { domain: ['prefill', 'decode'], range: [colour('prefill'), colour('decode')] },
  };
  return {
    id: 'roofline',
    title: 'The roofline: what each operation could reach, and what it does',
    caption: caption(chosen, ridge, peak, bandwidth),
    key:
      'A mark is one kind of operation, all layers together; its area is its share of the time of the phase. The nearer ' +
      'to the line above it, the better it uses this hardware. A mark above the slope was served by a cache. Operations ' +
      'without arithmetic (embedding) have no place here.',
    spec: {
      width: 720,
      height: 380,
      layer: [
        {
          data: { values: roof },
          mark: { type: 'line', color: colour('ink'), strokeWidth: 2 },
          encoding: { x, y },
        },
        {
          data: { values: [{ intensity: ridge, rate: peak, text: `ridge point: ${digits(ridge)} FLOP/B` }] },
          layer: [
            { mark: { type: 'rule', color: colour('soft'), strokeDash: [3, 4] }, encoding: { x: { ...x } } },
            {
              mark: { type: 'text', color: colour('soft'), align: 'center', dy: -12 },
              encoding: { x, y, text: { field: 'text' } },
            },
          ],
        },
        {
          data: { values: points },
          mark: { type: 'point', filled: true, opacity: 0.75 },
          encoding: {
            x,
            y,
            color: phase,
            size: { field: 'share', type: 'quantitative', scale: { range: [25, 700] }, legend: null },
          },
        },
        ...[-1, 1].map((side) => ({
          data: { values: labels.filter((label) => label.side === side) },
          mark: { type: 'text', align: 'center', dy: side * 18, fontWeight: 500 },
          encoding: { x, y, color: phase, text: { field: 'name' } },
        })),
      ],
    },
  };
}

/** Puts names above or below their marks in turn from left to right, so that neighbours do not cover each other. */
function placed<T extends { readonly phase: string; readonly intensity: number }>(points: readonly T[]) {
  return [...points]
    .sort((a, b) => a.intensity - b.intensity)
    .map((point, index) => ({ ...point, side: index % 2 === 0 ? -1 : 1 }));
}

function caption(chosen: readonly JoinedPhase[], ridge: number, peak: number, bandwidth: number): string {
  const of = (wanted: JoinedPhase['phase']): string => {
    const found = chosen.find(({ phase }) => phase === wanted);
    if (found === undefined) return '';
    const [flops, bytes] = found.operations.reduce(([f, b], each) => [f + each.flops, b + each.bytes], [0, 0]);
    const side = flops / bytes > ridge ? 'right of' : 'left of';
    const what = wanted === 'prefill' ? `A prefill of ${found.tokens} tokens` : `A decode step of ${found.batch}`;
    const binds = flops / bytes > ridge ? 'arithmetic binds it' : 'memory binds it';
    return `${what} does ${digits(flops / bytes)} FLOPs for each byte it moves, ${side} the ridge: ${binds}. `;
  };
  return (
    `Two ceilings meet at the ridge point: below ${digits(ridge)} FLOPs per byte, memory (${digits(bandwidth)} GB/s) ` +
    `sets the pace, above it arithmetic (${digits(peak)} GFLOP/s). ${of('prefill')}${of('decode')}`
  );
}
