import type { Hardware } from '../hardware/hardware.js';
import type { Model } from '../models/models.js';
import { Predictor, type PredictorOptions } from '../predict/predictor.js';
import type { PricedWeightDtype } from '../hardware/precision.js';

/** What a sweep varies; an axis left out has the one value of `base`. */
export interface SweepAxes {
  readonly hardware: readonly Hardware[];
  readonly weights?: readonly PricedWeightDtype[];
  readonly promptTokens: readonly number[];
  readonly outputTokens: readonly number[];
  readonly batch: readonly number[];
}

export interface SweepPoint {
  readonly hardware: string;
  readonly weights: PricedWeightDtype;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly batch: number;
  readonly ttftSeconds: number;
  readonly tpotSeconds: number | undefined;
  readonly e2eSeconds: number;
  /** Decode tokens a second of all sequences. */
  readonly tokensPerSecond: number | undefined;
}

/** TTFT, TPOT and E2E of every combination of the axes, the last varying fastest. */
export function* sweep(model: Model, axes: SweepAxes, options: PredictorOptions = {}): Generator<SweepPoint> {
  for (const hardware of axes.hardware) {
    for (const weights of axes.weights ?? [options.weights ?? 'f16']) {
      const predictor = new Predictor(model, hardware, { ...options, weights });
      for (const promptTokens of axes.promptTokens) {
        // Prefill does not depend on the output's length, which is why it is not inside the inner loop.
        const ttft = new Map<number, number>();
        for (const outputTokens of axes.outputTokens) {
          for (const batch of axes.batch) {
            const ttftSeconds = ttft.get(batch) ?? predictor.prefillSeconds(promptTokens, batch);
            ttft.set(batch, ttftSeconds);
            const steps = outputTokens - 1;
            const decode = predictor.decodeSeconds(promptTokens, steps, batch);
            const tpotSeconds = steps > 0 ? decode / steps : undefined;
            yield {
              hardware: hardware.id,
              weights,
              promptTokens,
              outputTokens,
              batch,
              ttftSeconds,
              tpotSeconds,
              e2eSeconds: ttftSeconds + decode,
              tokensPerSecond: tpotSeconds && batch / tpotSeconds,
            };
          }
        }
      }
    }
  }
}
