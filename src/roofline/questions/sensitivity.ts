import { scaled, type Hardware } from '../hardware/hardware.js';
import type { Model } from '../models/models.js';
import type { Request } from '../predict/predict.js';
import { Predictor, type PredictorOptions } from '../predict/predictor.js';

export interface SensitivityRow {
  readonly resource: 'bandwidth' | 'cores';
  /** Of what the hardware has. */
  readonly factor: number;
  readonly ttftSeconds: number;
  readonly tpotSeconds: number;
  /** Change of each against the unscaled hardware; 0.1 is a tenth slower. */
  readonly ttftChange: number;
  readonly tpotChange: number;
}

/** The fractions of bandwidth and of cores that SPAD's figures 2 and 3 try on an H100, and double. */
export const FACTORS = { bandwidth: [0.45, 0.6, 0.75, 1, 2], cores: [1 / 3, 0.5, 0.82, 1, 2] } as const;

/** How latency follows bandwidth and the number of cores, which all compute rates are proportional to. */
export function sensitivity(
  model: Model,
  hardware: Hardware,
  { promptTokens, outputTokens, batch = 1, cachedTokens = 0 }: Request,
  options: PredictorOptions = {},
  factors: Readonly<Record<'bandwidth' | 'cores', readonly number[]>> = FACTORS,
): SensitivityRow[] {
  const steps = Math.max(1, outputTokens - 1);
  const latencies = (bandwidth: number, compute: number) => {
    const predictor = new Predictor(model, scaled(hardware, { bandwidth, compute }), options);
    return {
      ttftSeconds: predictor.prefillSeconds(promptTokens - cachedTokens, batch, cachedTokens),
      tpotSeconds: predictor.decodeSeconds(promptTokens, steps, batch) / steps,
    };
  };
  const base = latencies(1, 1);
  return (['bandwidth', 'cores'] as const).flatMap((resource) =>
    factors[resource].map((factor) => {
      const found = resource === 'bandwidth' ? latencies(factor, 1) : latencies(1, factor);
      return {
        resource,
        factor,
        ...found,
        ttftChange: found.ttftSeconds / base.ttftSeconds - 1,
        tpotChange: found.tpotSeconds / base.tpotSeconds - 1,
      };
    }),
  );
}
