import { Gpu } from '../gpu/gpu.js';
import type { EngineOptions } from './api.js';
import type { ComingWeights, EngineHost } from './host.js';
import { fitMemory } from './memory-fit.js';
import type { MemoryPlan } from './memory-plan.js';
import { judgeModel, type JudgedModel } from './model-opening.js';
import { checkEngineOptions } from './options/check.js';
import type { SizedOptions } from './sizes.js';
import { weightFormats } from './weight-format.js';

/** Formats that a checkpoint of plain weights can be brought to. */
const DTYPES = ['f16', 'int8', 'int4'] as const;

/** What a model will take, as far as its small files and the sizes of its large ones tell. */
export interface ModelSize {
  readonly model: string;
  /** Of the weights on the GPU. */
  readonly dtype: string;
  /** Bytes on the GPU. */
  readonly gpu: MemoryPlan;
  /** Tokens of a sequence, and all that the cache holds. */
  readonly contextLength: number;
  readonly kvTokens: number;
  /** Bytes of weights that are to be fetched; undefined where they are there, or are not fetched as a whole. */
  readonly coming: ComingWeights | undefined;
  /** The same model with weights of other formats, for checkpoints that can be brought to them. */
  readonly others: readonly { readonly dtype: string; readonly gpu: MemoryPlan }[];
}

/** Thrown to leave a model that has been looked at before its weights are fetched. */
class Seen extends Error {}

/**
 * Looks at a model before any weights are fetched.
 *
 * @throws RidgepointError as `startEngine`, but for what does not fit, which is told and not refused
 */
export async function sizeAhead(options: EngineOptions, host: EngineHost): Promise<ModelSize> {
  checkEngineOptions(options);
  const source = await host.openGpu(options.adapter);
  const gpu = await Gpu.open(source);
  try {
    const sized: SizedOptions = { ...options, unasked: host.unasked };
    let judged: JudgedModel | undefined;
    let coming: ComingWeights | undefined;
    const request = {
      signal: options.signal,
      judge: async (model: Parameters<typeof judgeModel>[0], weights?: ComingWeights) => {
        judged = await judgeModel(model, sized);
        coming = weights;
        throw new Seen();
      },
    };
    const found = await host.openModel(options.model, request).catch((error: unknown) => {
      if (!(error instanceof Seen)) throw error;
    });
    const model = judged ?? (await judgeModel(found!, sized));
    const fit = (formats: JudgedModel['formats']) =>
      fitMemory({ options: sized, source, gpu }, { ...model, formats, weights: undefined });
    const own = await fit(model.formats);
    const plain = model.packed === undefined && model.saved === undefined;
    const others = DTYPES.filter((dtype) => plain && dtype !== model.formats.dtype).map(async (dtype) => {
      const formats = weightFormats({ ...sized, dtype }, undefined, undefined);
      return { dtype, gpu: (await fit(formats)).plan };
    });
    return {
      model: model.source.name,
      dtype: model.formats.dtype,
      gpu: own.plan,
      contextLength: own.limits.contextLength,
      kvTokens: own.cache.kvTokens,
      coming,
      others: await Promise.all(others),
    };
  } finally {
    await gpu.dispose();
  }
}
