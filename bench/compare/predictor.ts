import type { ModelConfig } from '../../src/model/config.js';
import type { Hardware } from '../../src/roofline/hardware/hardware.js';
import { namesMatrices } from '../../src/kernels/matmul/matrix.js';
import { familyModel } from '../../src/roofline/models/models.js';
import { KV_DTYPES, weightDtype } from '../../src/roofline/hardware/precision.js';
import { Predictor } from '../../src/roofline/predict/predictor.js';
import type { KernelSet } from '../../src/roofline/hardware/roof.js';
import { RidgepointError } from '../../src/errors.js';
import type { BenchResult } from '../schema.js';

/** The configuration of the model that a result is of. */
export const configOf = ({ model }: BenchResult): ModelConfig => ({
  family: 'llama',
  ...model.config,
  // No cost depends on these.
  ropeTheta: 10_000,
  ropeScaling: { type: 'none' },
  rmsNormEps: 1e-5,
  bosTokenId: undefined,
  eosTokenIds: [],
});

/** Predicts what a result measured: the same model, formats and chunks, on hardware from a calibration or a data sheet. */
export function predictorFor(result: BenchResult, hardware: Hardware, given?: KernelSet): Predictor {
  const { model, context } = result;
  const weights = weightDtype(context.dtype);
  const head = weightDtype(context.head_dtype ?? context.dtype);
  const kv = KV_DTYPES.find((known) => known === context.kv_dtype);
  if (weights === undefined || kv === undefined) {
    const found = weights === undefined ? `dtype "${context.dtype}"` : `kv_dtype "${context.kv_dtype}"`;
    throw new RidgepointError('usage', `the result's ${found} is not one that can be predicted`);
  }
  return new Predictor(familyModel(model.name, configOf(result)), hardware, {
    weights,
    head,
    kv,
    activations: context.activations === 'int8' ? 'int8' : 'f32',
    kernels: given ?? kernelSet(hardware, model.kernels?.prefill),
    prefillChunk: model.prefill_chunk,
  });
}

/**
 * Which roof of a data sheet the engine's kernels have over them: that of matrix units only where the prompt's matmul
 * uses them. A calibration is of the engine's own kernels, so there is nothing to choose.
 *
 * @param prefill names of the matmul variants a prompt takes
 */
export function kernelSet({ kind }: Hardware, prefill: readonly string[] = []): KernelSet | undefined {
  if (kind === 'measured') return undefined;
  return prefill.some(namesMatrices) ? 'tensor' : 'shader';
}
