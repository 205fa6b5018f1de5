import type { Comparison } from '../compare/compare.js';
import { batchFigure } from './figures/batch.js';
import { gapsFigure } from './figures/gaps.js';
import { identityFigure } from './figures/identity.js';
import { operationsFigure } from './figures/operations.js';
import { promptFigure } from './figures/prompt.js';
import { requestFigure } from './figures/request.js';
import { rooflineFigure } from './figures/roofline.js';
import type { DrawnFigure } from './drawn-figure.js';
import { draw } from './render.js';

/** In the order a reader meets them. A figure whose points were not measured is left out. */
const FIGURES = [
  rooflineFigure,
  operationsFigure,
  promptFigure,
  batchFigure,
  gapsFigure,
  requestFigure,
  identityFigure,
] as const;

/** All figures that a comparison has points for. @param how as `draw` takes it */
export async function drawFigures(
  comparison: Comparison,
  how: { readonly interpreted?: boolean } = {},
): Promise<DrawnFigure[]> {
  const figures = FIGURES.map((make) => make(comparison)).filter((each) => each !== undefined);
  return Promise.all(figures.map(async (figure) => ({ ...figure, svg: await draw(figure, how) })));
}
