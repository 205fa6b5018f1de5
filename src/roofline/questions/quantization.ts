import type { Hardware } from '../hardware/hardware.js';
import type { Model } from '../models/models.js';
import { predict, type Request } from '../predict/predict.js';
import type { PredictorOptions } from '../predict/predictor.js';
import type { PricedWeightDtype } from '../hardware/precision.js';
import type { ComputeDtype, Roof } from '../hardware/roof.js';

/** How weights are stored and what products are computed in; the field writes W4A16 for int4 weights and f16 products. */
export const SCHEMES = [
  { name: 'f16', weights: 'f16', compute: 'f16' },
  { name: 'W8A16', weights: 'int8', compute: 'f16' },
  { name: 'W8A8', weights: 'int8', compute: 'int8' },
  { name: 'fp8', weights: 'fp8', compute: 'fp8' },
  { name: 'W4A16', weights: 'int4', compute: 'f16' },
  { name: 'W4A8', weights: 'int4', compute: 'int8' },
] as const satisfies { name: string; weights: PricedWeightDtype; compute: ComputeDtype }[];

export interface QuantizationRow {
  readonly name: string;
  readonly weights: PricedWeightDtype;
  readonly compute: ComputeDtype;
  readonly ttftSeconds: number;
  readonly tpotSeconds: number | undefined;
  readonly weightBytes: number;
  readonly fits: boolean;
  /** How many times faster than f16. */
  readonly ttftSpeedup: number;
  readonly tpotSpeedup: number | undefined;
  /** Ceiling of matmuls, which is that of a wider format where the device has none for this one. */
  readonly roof: Roof;
}

/**
 * What narrower formats gain. Decode gains by narrower weights, since it reads them; prefill only by products in a
 * format that the device computes faster, which weight-only schemes leave at f16.
 */
export function quantization(
  model: Model,
  hardware: Hardware,
  request: Request,
  options: PredictorOptions = {},
): QuantizationRow[] {
  const rows = SCHEMES.map((scheme) => ({
    scheme,
    found: predict({ ...options, ...request, ...scheme, model, hardware }),
  }));
  const [{ found: base }] = rows;
  return rows.map(({ scheme, found }) => ({
    ...scheme,
    ttftSeconds: found.ttftSeconds,
    tpotSeconds: found.tpotSeconds,
    weightBytes: found.memory.weightBytes,
    fits: found.memory.fits,
    ttftSpeedup: base.ttftSeconds / found.ttftSeconds,
    tpotSpeedup: base.tpotSeconds! / found.tpotSeconds!,
    roof: found.roof,
  }));
}
