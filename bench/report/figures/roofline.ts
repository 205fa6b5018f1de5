import type { Comparison } from '../../compare/compare.js';
import type { JoinedPhase } from '../../compare/operations.js';
import { figure as digits } from '../../tables/markdown.js';
import type { Figure } from '../render.js';
import { colour } from '../theme.js';
import { logAxis, type Domain } from './axes.js';
import { placeLabels } from './labels.js';

/** Kinds that take less of a phase than this go without a name beside their mark. */
const NAMED_FROM = 0.05;
const SIZE = { width: 720, height: 380 };
/** Areas of marks, in square pixels, for no share of the time and all of it. */
const [SMALLEST, LARGEST] = [25, 1500];

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
  const reach = points.map(({ intensity }) => intensity);
  const [low, high] = [Math.min(ridge / 30, ...reach) / 1.6, Math.max(ridge * 12, ...reach) * 2.5];
  const roof = [
    { intensity: low, rate: low * bandwidth },
    { intensity: ridge, rate: peak },
    { intensity: high, rate: peak },
  ];
  const floor = Math.min(...points.map(({ rate }) => rate), low * bandwidth) / 2;
  const plane = { ...SIZE, x: [low, high] as Domain, y: [floor, peak * 3] as Domain };
  const marks = points.map(({ name, phase, intensity, rate, share }) => {
    const radius = Math.sqrt((SMALLEST + share * (LARGEST - SMALLEST)) / Math.PI);
    return { name, phase, x: intensity, y: rate, radius, share };
  });
  const labels = placeLabels(
    marks.filter(({ share }) => share >= NAMED_FROM),
    marks,
    plane,
  ).map(({ name, phase, x, y }) => ({ name, phase, intensity: x, rate: y }));
  const x = logAxis('intensity', plane.x, 'arithmetic intensity, FLOPs per byte moved');
  const y = logAxis('rate', plane.y, 'GFLOP/s');
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
      ...SIZE,
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
              mark: { type: 'text', color: colour('soft'), align: 'left', dx: 6, dy: -12 },
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
            size: {
              field: 'share',
              type: 'quantitative',
              scale: { domain: [0, 1], range: [SMALLEST, LARGEST] },
              legend: null,
            },
          },
        },
        {
          data: { values: labels },
          mark: { type: 'text', align: 'left', baseline: 'middle', fontWeight: 500 },
          encoding: { x, y, color: phase, text: { field: 'name' } },
        },
      ],
    },
  };
}

function caption(chosen: readonly JoinedPhase[], ridge: number, peak: number, bandwidth: number): string {
  const of = (wanted: JoinedPhase['phase']): string => {
    const found = chosen.find(({ phase }) => phase === wanted);
    if (found === undefined) return '';
    const [flops, bytes] = found.operations.reduce(([f, b], each) => [f + each.flops, b + each.bytes], [0, 0]);
    const side = flops / bytes > ridge ? 'right of' : 'left of';
    const what =
      wanted === 'prefill'
        ? `A prefill of ${found.tokens} tokens`
        : `A decode step of ${found.batch === 1 ? 'one sequence' : `${found.batch} sequences`}`;
    const binds = flops / bytes > ridge ? 'arithmetic binds it' : 'memory binds it';
    return `${what} does ${digits(flops / bytes)} FLOPs for each byte it moves, ${side} the ridge: ${binds}. `;
  };
  return (
    `Two ceilings meet at the ridge point: below ${digits(ridge)} FLOPs per byte, memory (${digits(bandwidth)} GB/s) ` +
    `sets the pace, above it arithmetic (${digits(peak)} GFLOP/s). ${of('prefill')}${of('decode')}`
  );
}
