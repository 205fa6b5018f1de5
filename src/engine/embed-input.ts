import { RidgepointError } from '../errors.js';
import type { ModelConfig } from '../model/config.js';
import type { ModelPooling, Pooling } from '../model/pooling.js';
import { option, words } from '../wording.js';
import type { EmbedOptions, EngineInfo, Prompt } from './api.js';

/** Most prompts that are embedded in one call, as in OpenAI's API. */
const MOST_INPUTS = 2048;

/** A list of prompts, whichever form it came in. @throws RidgepointError for what is none, and for too many */
export function promptList(input: Prompt | readonly Prompt[]): readonly Prompt[] {
  if (typeof input === 'string') return [input];
  // Types are not there at run time.
  if (!Array.isArray(input)) {
    throw new RidgepointError('usage', `the input must be text, token ids or a list of such, found ${typeof input}`);
  }
  if (input.length === 0) throw new RidgepointError('prompt', 'there is no input; give some text or token ids');
  if (typeof input[0] === 'number') return [input as readonly number[]];
  if (input.length <= MOST_INPUTS) return input as readonly Prompt[];
  throw new RidgepointError(
    'prompt',
    `there are ${input.length} inputs, and one call takes up to ${MOST_INPUTS}; ask several times`,
  );
}

/** @throws RidgepointError where the model is not meant for embeddings, or for others */
export function poolingOf(
  { model }: Pick<EngineInfo, 'model'>,
  own: ModelPooling | undefined,
  asked: Pick<EmbedOptions, 'pooling' | 'normalize'>,
): { readonly pooling: Pooling; readonly normalize: boolean } {
  const usable = own === undefined || 'unsupported' in own ? undefined : own;
  const pooling = asked.pooling ?? usable?.pooling;
  const normalize = asked.normalize ?? usable?.normalize ?? true;
  if (pooling !== undefined) return { pooling, normalize };
  const ways = words`${option('pooling', 'mean')} or ${option('pooling', 'last')}`;
  if (own !== undefined && 'unsupported' in own) {
    throw new RidgepointError(
      'usage',
      words`${model} makes embeddings in a way that is not supported, ${own.unsupported}; load with ${ways} for another`,
      { option: 'pooling' },
    );
  }
  throw new RidgepointError(
    'usage',
    words`${model} writes text and was not trained to embed it; choose a model that was, or load with ${ways} to try this one’s hidden states`,
    { option: 'pooling' },
  );
}

/** Checks inputs one after the other. @throws RidgepointError naming the input that cannot be computed */
export function* checkInputs(
  inputs: readonly (readonly number[])[],
  config: Pick<ModelConfig, 'vocab'>,
  info: Pick<EngineInfo, 'contextLength' | 'kvCacheTokens'>,
): Generator<void, void> {
  for (const [at, ids] of inputs.entries()) {
    checkInput(ids, at, config, info);
    yield;
  }
}

function checkInput(
  ids: readonly number[],
  at: number,
  { vocab }: Pick<ModelConfig, 'vocab'>,
  { contextLength, kvCacheTokens }: Pick<EngineInfo, 'contextLength' | 'kvCacheTokens'>,
): void {
  // Types are not there at run time.
  const isList: boolean = Array.isArray(ids);
  if (!isList) {
    throw new RidgepointError('usage', `input ${at} must be text or a list of token ids, found ${typeof ids}`);
  }
  if (ids.length === 0) throw new RidgepointError('prompt', `input ${at} has no tokens; leave it out`);
  const strange = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocab);
  if (strange !== undefined) {
    throw new RidgepointError('prompt', `input ${at} has token id ${strange}, but ids are 0 to ${vocab - 1}`);
  }
  if (ids.length <= Math.min(contextLength, kvCacheTokens)) return;
  const has = `input ${at} has ${ids.length} tokens, but`;
  throw new RidgepointError(
    'prompt',
    contextLength <= kvCacheTokens
      ? `${has} the context is ${contextLength}; shorten it`
      : `${has} the KV cache has room for ${kvCacheTokens}; shorten it`,
  );
}
