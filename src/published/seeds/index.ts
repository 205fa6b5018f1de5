import { BLOG_ERRORS } from './blog-errors.js';
import { BLOG_PREDICTED } from './blog-predicted.js';
import { BLOG_FIGURES } from './blog.js';
import type { SeedFigure } from './figure.js';
import { NEWS_FIGURES } from './news.js';
import { PLATFORM_FIGURES } from './platforms.js';
import { SPAD_CHIP_FIGURES } from './spad-chips.js';
import { SPAD_CLUSTER_FIGURES } from './spad-clusters.js';
import { SPAD_PREDICTED } from './spad-predicted.js';
import { SPAD_SIMULATED } from './spad-simulated.js';
import { SPAD_TABLES } from './spad-tables.js';
import { TUTORIAL_ERRORS } from './tutorial-errors.js';
import { TUTORIAL_PREDICTED } from './tutorial-predicted.js';
import { TUTORIAL } from './tutorial.js';

/** Ours is computed once, however often a listing asks for it. */
function once(figure: SeedFigure): SeedFigure {
  const { ours } = figure;
  if (ours === undefined) return figure;
  let found: ReturnType<typeof ours> | undefined;
  return { ...figure, ours: () => (found ??= ours()) };
}

const ALL: readonly SeedFigure[] = [
  ...PLATFORM_FIGURES,
  ...SPAD_CHIP_FIGURES,
  ...SPAD_CLUSTER_FIGURES,
  ...SPAD_TABLES,
  ...SPAD_PREDICTED,
  ...SPAD_SIMULATED,
  ...NEWS_FIGURES,
  ...TUTORIAL,
  ...TUTORIAL_PREDICTED,
  ...TUTORIAL_ERRORS,
  ...BLOG_FIGURES,
  ...BLOG_PREDICTED,
  ...BLOG_ERRORS,
];

/** Every number of the five documents that arithmetic or our predictor can reach, and the names of those they cannot. */
export const SEED_FIGURES: readonly SeedFigure[] = ALL.map(once);
