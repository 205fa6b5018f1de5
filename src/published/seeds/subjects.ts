import type { ModelConfig } from '../../model/config.js';
import { BLOOM_176B } from '../../roofline/models/bloom.js';
import { DEEPSEEK_V2 } from '../../roofline/models/deepseek.js';
import { hardwareById } from '../../roofline/hardware/catalogue.js';
import { familyModel, type Model } from '../../roofline/models/models.js';
import { Predictor, type PredictorOptions } from '../../roofline/predict/predictor.js';

/** The models the documents speak of; their shapes are those of `models/presets.json`, which a test sees to. */

const llama = (
  shape: Pick<ModelConfig, 'layers' | 'hidden' | 'intermediate' | 'heads' | 'kvHeads' | 'vocab' | 'maxPositions'>,
) => {
  return {
    ...{
      family: 'llama' as const,
      headDim: 128,
      ropeTheta: 1e4,
      ropeScaling: { type: 'none' as const },
      rmsNormEps: 1e-5,
    },
    ...{ tiedEmbeddings: false, bosTokenId: undefined, eosTokenIds: [] },
    ...shape,
  };
};

export const SHAPES = {
  'llama-2-7b': llama({
    ...{ layers: 32, hidden: 4096, intermediate: 11_008, heads: 32, kvHeads: 32, vocab: 32_000, maxPositions: 4096 },
  }),
  'llama-3.1-8b': llama({
    ...{ layers: 32, hidden: 4096, intermediate: 14_336, heads: 32, kvHeads: 8, vocab: 128_256, maxPositions: 131_072 },
  }),
  'llama-3.1-70b': llama({
    ...{ layers: 80, hidden: 8192, intermediate: 28_672, heads: 64, kvHeads: 8, vocab: 128_256, maxPositions: 131_072 },
  }),
} as const;

export type SeedModel = keyof typeof SHAPES | keyof typeof OTHERS;

const OTHERS = { 'bloom-176b': BLOOM_176B, 'deepseek-v2': DEEPSEEK_V2 } as const;

const predictors = new Map<string, Predictor>();

/** Our predictor of a model on hardware of the catalogue, in fp16 unless told otherwise, without any engine's host. */
export function predictorOf(
  model: SeedModel,
  hardware: string,
  options: Pick<PredictorOptions, 'tensorParallel' | 'weights' | 'compute'> = {},
): Predictor {
  const key = JSON.stringify([model, hardware, options]);
  let predictor = predictors.get(key);
  if (predictor === undefined) {
    const of: Model =
      model in SHAPES ? familyModel(model, SHAPES[model as keyof typeof SHAPES]) : OTHERS[model as keyof typeof OTHERS];
    predictors.set(key, (predictor = new Predictor(of, hardwareById(hardware), options)));
  }
  return predictor;
}
