import { RidgepointError } from '../errors.js';
import { option, words } from '../wording.js';
import type { StoredDtype } from '../kernels/weights.js';
import type { ModelConfig } from '../model/config.js';
import { writesNothing } from '../model/headless.js';
import { describeModel, openModel, type ModelSource, type OpenedModel } from '../model/open.js';
import { openWeights, type OpenedWeights } from '../model/open-weights.js';
import { parseGenerationConfig, type GenerationConfig } from './generation-config.js';
import type { ModelFacts } from './load-options.js';
import { engineLimits, type SizedOptions } from './sizes.js';
import type { StartContext } from './start-context.js';
import { planMemory } from './memory-fit.js';
import { activationDtype, weightFormats } from './weight-format.js';

/** A model without its weights, and what the options make of it. */
export interface JudgedModel extends OpenedModel {
  /** Of the layers' matrices, and of embedding and `lm_head`. */
  readonly formats: { readonly dtype: StoredDtype; readonly head: StoredDtype };
  readonly generation: GenerationConfig;
}

/**
 * All that can be told of a model and of the options without its weights, so that what is not supported is refused
 * before gigabytes are downloaded or read.
 *
 * @throws RidgepointError naming the file or option that is wrong
 */
export async function judgeModel(source: ModelSource, options: SizedOptions): Promise<JudgedModel> {
  const described = await describeModel(source, { weights: options.weights !== 'synthetic' });
  const formats = weightFormats(options, described.packed, described.saved);
  activationDtype(options.activations, formats.dtype);
  engineLimits(options, described.config);
  const opened = await openModel(described, options.chatTemplate);
  const generation = parseGenerationConfig(opened.generationConfig, opened.generationName);
  options.onModel?.(factsOf(opened));
  return { ...opened, formats, generation, notices: [...generation.notices, ...opened.notices] };
}

const factsOf = ({ source, config, tokenizer, chatText }: OpenedModel): ModelFacts => ({
  model: source.name,
  hasTokenizer: tokenizer !== undefined,
  hasChatTemplate: chatText !== undefined,
  ...(config.headless ? { whyNoText: writesNothing(source.name) } : {}),
});

/** A model that is ready to be loaded. */
export interface EngineModel extends JudgedModel {
  /** As the checkpoint bears it out. */
  readonly config: ModelConfig;
  /** Undefined where weights are made up. */
  readonly weights: OpenedWeights | undefined;
}

/**
 * Finds the model that was asked for and opens it. The caller closes its checkpoint.
 *
 * @throws RidgepointError naming the file, tensor or option that is wrong
 */
export async function openEngineModel(start: StartContext): Promise<EngineModel> {
  const { options, host, clock } = start;
  const { onProgress, signal } = options;
  let judgement: Promise<JudgedModel> | undefined;
  const judge = (model: ModelSource): Promise<JudgedModel> =>
    (judgement ??= clock.time('tokenizer', judgeModel(model, options)));
  // What cannot fit is not fetched first.
  const ahead = async (model: ModelSource): Promise<unknown> =>
    planMemory(start, { ...(await judge(model)), weights: undefined });
  const found = await clock.time('checkpoint', host.openModel(options.model, { onProgress, signal, judge: ahead }));
  const synthetic = options.weights === 'synthetic';
  if (found.folder === undefined && !synthetic) {
    throw new RidgepointError(
      'usage',
      words`${found.name} is a preset without weights; load with ${option('weights', 'synthetic')}, or give a folder or a Hub name`,
    );
  }
  const judged = await judge(found);
  if (synthetic) return { ...judged, weights: undefined };
  const auto = (options.dtype ?? 'auto') === 'auto' && judged.saved === undefined;
  const weights = await openWeights(judged, auto ? judged.formats.dtype : undefined);
  return { ...judged, config: weights.config, weights, notices: [...judged.notices, ...weights.notices] };
}
