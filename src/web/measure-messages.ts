import type { Calibration } from '../roofline/hardware/calibration.js';

/** What the page asks of the worker that measures. */
export interface MeasureRequest {
  /** URL of the folder with the models. */
  readonly modelsUrl: string;
  readonly pageUrl: string;
  /** Whether the engine's kernels are measured, too, and not the ceilings alone. */
  readonly kernels: boolean;
}

/** What that worker tells. */
export type MeasureNews =
  | { readonly progress: string }
  | { readonly skipped: string }
  | { readonly calibration: Calibration }
  | { readonly error: string };
