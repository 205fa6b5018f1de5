import type { Hardware } from '../hardware/hardware.js';
import { usableBytes } from '../hardware/memory.js';
import type { Model } from '../models/models.js';
import { likelihood, spreadOf, type Evidence } from '../hardware/uncertainty.js';
import { predict, type Request } from '../predict/predict.js';
import type { PredictorOptions } from '../predict/predictor.js';

export interface Limits {
  readonly ttftSeconds: number;
  readonly itlSeconds: number;
}

export interface SlaRow {
  readonly hardware: string;
  readonly chips: number;
  readonly ttftSeconds: number;
  /** The longest gap between tokens, the last one. */
  readonly itlSeconds: number;
  readonly fits: boolean;
  readonly pass: boolean;
  /** That both limits are kept; 0 where memory does not hold it. */
  readonly probability: number;
  readonly evidence: Evidence;
  /** What is missed, for people. */
  readonly failures: readonly string[];
  /** Fewest chips that hold weights and cache, when that is more than were asked for. */
  readonly chipsToFit: number | undefined;
}

/** Which hardware serves a request within both limits and has the memory for it. */
export function sla(
  model: Model,
  hardware: readonly Hardware[],
  request: Request,
  limits: Limits,
  options: PredictorOptions = {},
): SlaRow[] {
  return hardware.map((each) => {
    const prediction = predict({ ...options, ...request, model, hardware: each });
    const itlSeconds = prediction.itlLastSeconds ?? 0;
    const { fits, weightBytes, kvBytes } = prediction.memory;
    const chipsToFit = Math.ceil((weightBytes + kvBytes) / usableBytes(each));
    const failures = [
      prediction.ttftSeconds > limits.ttftSeconds && 'TTFT',
      itlSeconds > limits.itlSeconds && 'ITL',
      !fits && 'memory',
    ].filter((failure) => failure !== false);
    return {
      hardware: each.id,
      chips: prediction.chips,
      ttftSeconds: prediction.ttftSeconds,
      itlSeconds,
      fits,
      pass: failures.length === 0,
      probability: fits
        ? likelihood(prediction.ttftSeconds, spreadOf(prediction.predictor, 'prompts'), limits.ttftSeconds) *
          (itlSeconds > 0 ? likelihood(itlSeconds, spreadOf(prediction.predictor, 'tokens'), limits.itlSeconds) : 1)
        : 0,
      evidence: prediction.evidence,
      failures,
      chipsToFit: chipsToFit > prediction.chips ? chipsToFit : undefined,
    };
  });
}
