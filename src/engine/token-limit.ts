import { RidgepointError } from '../errors.js';
import type { ModelConfig } from '../model/config.js';
import { option, words } from '../wording.js';
import type { EngineInfo, GenerateOptions } from './api.js';
import type { EngineParts } from './engine-parts.js';

/** Tokens a generation may have, and why it ends there. @throws RidgepointError for a prompt that cannot be served */
export function tokenLimit(
  { info, config, generationDefaults }: Pick<EngineParts, 'info' | 'config' | 'generationDefaults'>,
  promptIds: readonly number[],
  options: GenerateOptions,
): { maxTokens: number; limitReason: 'length' | 'context' } {
  const { vocab } = config;
  if (promptIds.length === 0) {
    throw new RidgepointError('prompt', 'the prompt has no tokens; give some text or at least one token id');
  }
  for (const id of promptIds) {
    if (!Number.isInteger(id) || id < 0 || id >= vocab) {
      throw new RidgepointError('prompt', `token id ${id} is not in the vocabulary, whose ids are 0 to ${vocab - 1}`);
    }
  }
  const room = roomAfter(promptIds.length, info, config);
  const { maxNewTokens, maxLength } = generationDefaults;
  const byModel =
    maxNewTokens ?? (maxLength !== undefined && maxLength > promptIds.length ? maxLength - promptIds.length : Infinity);
  const wanted = options.maxTokens ?? byModel;
  return wanted > room ? { maxTokens: room, limitReason: 'context' } : { maxTokens: wanted, limitReason: 'length' };
}

/** Tokens that may follow a prompt. @throws RidgepointError where there is no room for one */
function roomAfter(promptLength: number, info: EngineInfo, config: ModelConfig): number {
  const { contextLength, kvCacheTokens: kvTokens } = info;
  // The last token is never fed back, so the cache needs no place for it.
  if (promptLength < contextLength && promptLength <= kvTokens) {
    return Math.min(contextLength, kvTokens + 1) - promptLength;
  }
  const has = `the prompt has ${promptLength} tokens, but`;
  if (promptLength < contextLength) {
    throw new RidgepointError(
      'prompt',
      words`${has} the KV cache has room for ${kvTokens}; shorten it or load with a larger ${option('kvCacheTokens')}`,
    );
  }
  const { maxPositions } = config;
  const longer = words` or ask for up to ${maxPositions} with ${option('contextLength')}`;
  const advice = contextLength < maxPositions ? longer : '';
  throw new RidgepointError('prompt', words`${has} the context is ${contextLength}; shorten it${advice}`);
}
