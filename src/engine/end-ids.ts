import type { LlamaConfig } from '../model/config.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';

/**
 * The ids that end a generation. `config.json`, `generation_config.json` and the tokenizer each name some, a fine-tune's
 * files not always the same ones: any of them ends it.
 */
export function endIds(
  { eosTokenIds, vocab }: Pick<LlamaConfig, 'eosTokenIds' | 'vocab'>,
  generationIds: readonly number[],
  tokenizer: Pick<Tokenizer, 'eosTokenId'> | undefined,
): readonly number[] {
  const all = new Set([...generationIds, ...eosTokenIds, tokenizer?.eosTokenId ?? -1]);
  return [...all].filter((id) => id >= 0 && id < vocab);
}
