import type { Spec } from '../render.js';
import { colour } from '../theme.js';
import { logAxis, type Domain } from './axes.js';

/** Measured and predicted milliseconds of the same domain on two logarithmic axes. */
export function diagonalAxes(domain: Domain) {
  return { x: logAxis('measuredMs', domain, 'measured, ms'), y: logAxis('predictedMs', domain, 'predicted, ms') };
}

/** Where predictions are so many times what was measured: a solid line for 1, dashed ones for others. */
export function diagonal(domain: Domain, factor: number): Spec {
  return {
    data: { values: domain.map((at) => ({ measuredMs: at, predictedMs: at * factor })) },
    mark: {
      type: 'line',
      clip: true,
      color: colour(factor === 1 ? 'ink' : 'soft'),
      strokeWidth: factor === 1 ? 1.5 : 1,
      ...(factor === 1 ? {} : { strokeDash: [4, 4] }),
    },
    encoding: diagonalAxes(domain),
  };
}
