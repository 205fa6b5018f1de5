import type { ModelConfig } from './config.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';

/**
 * The ids that end a generation. `config.json`, `generation_config.json` and the tokenizer each name some, a fine-tune's
 * files not always the same ones: any of them ends it.
 */
export function endIds(
  { eosTokenIds, vocab }: Pick<ModelConfig, 'eosTokenIds' | 'vocab'>,
  generationIds: readonly number[],
  tokenizer: Pick<Tokenizer, 'eosTokenIds'> | undefined,
): readonly number[] {
  const all = new Set([...generationIds, ...eosTokenIds, ...(tokenizer?.eosTokenIds ?? [])]);
  return [...all].filter((id) => id >= 0 && id < vocab);
}

/** The token ids under a key of a file of JSON, one or a list; whatever is none is left out. */
export function idsOf(json: unknown, key: string): readonly number[] {
  const value = (json as Record<string, unknown> | null | undefined)?.[key];
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  return all.filter((id): id is number => typeof id === 'number' && Number.isInteger(id) && id >= 0);
}
