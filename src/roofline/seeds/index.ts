import { BLOG_ERRORS } from './blog-errors.js';
import { BLOG_FIGURES } from './blog.js';
import type { SeedFigure } from './figure.js';
import { NEWS_FIGURES } from './news.js';
import { PLATFORM_FIGURES } from './platforms.js';
import { SPAD_CHIP_FIGURES } from './spad-chips.js';
import { SPAD_CLUSTER_FIGURES } from './spad-clusters.js';
import { SPAD_SIMULATED } from './spad-simulated.js';
import { TUTORIAL_ERRORS } from './tutorial-errors.js';
import { TUTORIAL } from './tutorial.js';

/** Every number of the five documents that arithmetic can reproduce or refute, and the names of those it cannot. */
export const SEED_FIGURES: readonly SeedFigure[] = [
  ...PLATFORM_FIGURES,
  ...SPAD_CHIP_FIGURES,
  ...SPAD_CLUSTER_FIGURES,
  ...SPAD_SIMULATED,
  ...NEWS_FIGURES,
  ...TUTORIAL,
  ...TUTORIAL_ERRORS,
  ...BLOG_FIGURES,
  ...BLOG_ERRORS,
];
