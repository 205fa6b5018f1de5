import type { Comparison, MeasureError } from '../../compare/compare.js';
import type { JoinedPoint } from '../../compare/points.js';
import { markdownPercent } from '../../tables/markdown.js';
import type { Figure, Spec } from '../render.js';
import { colour } from '../theme.js';
import type { Domain } from './axes.js';
import { diagonal, diagonalAxes } from './diagonal.js';

/** How far off a prediction may be and still count as good, for the dashed lines. */
const GOOD = 0.15;

/** Predicted over measured for every point of the sweep; on the diagonal a prediction is right. */
export function identityFigure({ points, errors }: Comparison): Figure | undefined {
  const panels = (['ttft', 'tpot'] as const)
    .map((measure) => points.filter((point) => point.measure === measure))
    .filter((list) => list.length > 0);
  if (panels.length === 0) return undefined;
  return {
    id: 'predicted-and-measured',
    title: 'Predicted against measured',
    caption: `Each mark is one point of the sweep. ${['ttft', 'tpot'].map((measure) => said(errors, measure)).join('')}`,
    key: `On the solid line the prediction is exact; between the dashed ones it is within ${100 * GOOD} %. Above the line it promises more time than the run took, below it less.`,
    spec: { hconcat: panels.map(panel), spacing: 44 },
  };
}

function said(errors: readonly MeasureError[], measure: string): string {
  const found = errors.find((each) => each.measure === measure);
  if (found === undefined) return '';
  return `${measure.toUpperCase()} is off by ${markdownPercent(found.mape)} on average and by ${markdownPercent(Math.abs(found.worst.error))} at worst. `;
}

function panel(points: readonly JoinedPoint[]): Spec {
  const { measure } = points[0];
  const all = points.flatMap(({ measuredMs, predictedMs }) => [measuredMs, predictedMs]);
  const domain: Domain = [Math.min(...all) / 1.4, Math.max(...all) * 1.4];
  const axes = diagonalAxes(domain);
  const hue = colour(measure === 'ttft' ? 'prefill' : 'decode');
  const title = measure === 'ttft' ? 'TTFT: until the first token (prefill)' : 'TPOT: for each token after it (decode)';
  return {
    title,
    width: 320,
    height: 300,
    layer: [
      diagonal(domain, 1),
      diagonal(domain, 1 + GOOD),
      diagonal(domain, 1 - GOOD),
      {
        data: { values: points },
        mark: { type: 'point', filled: true, size: 70, opacity: 0.8, color: hue },
        encoding: axes,
      },
    ],
  };
}
