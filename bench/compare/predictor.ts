import type { LlamaConfig } from '../../src/model/config.js';
import type { Hardware } from '../../src/roofline/hardware.js';
import { llamaModel } from '../../src/roofline/models.js';
import { KV_DTYPES, WEIGHT_DTYPES } from '../../src/roofline/precision.js';
import { Predictor } from '../../src/roofline/predictor.js';
import { RidgepointError } from '../../src/errors.js';
import type { BenchResult } from '../schema.js';

/** Predicts what a result measured: the same model, formats and chunks, on hardware from a calibration or a data sheet. */
export function predictorFor({ model, context }: BenchResult, hardware: Hardware): Predictor {
  const config: LlamaConfig = {
    ...model.config,
    // No cost depends on these.
    ropeTheta: 10_000,
    ropeScaling: { type: 'none' },
    rmsNormEps: 1e-5,
    bosTokenId: undefined,
    eosTokenIds: [],
  };
  const weights = WEIGHT_DTYPES.find((known) => known === context.dtype);
  const kv = KV_DTYPES.find((known) => known === context.kv_dtype);
  if (weights === undefined || kv === undefined) {
    const found = weights === undefined ? `dtype "${context.dtype}"` : `kv_dtype "${context.kv_dtype}"`;
    throw new RidgepointError('usage', `the result's ${found} is not one that can be predicted`);
  }
  // The engine's kernels are plain shader code, whatever matrix units a data sheet lists.
  const kernels = hardware.kind === 'measured' ? undefined : 'shader';
  return new Predictor(llamaModel(model.name, config), hardware, {
    weights,
    kv,
    kernels,
    prefillChunk: model.prefill_chunk,
  });
}
