import type { Tokenizer } from './tokenizer.js';

/** What must be known of a model's tokens to tell which may come next in a text of a given form. */
export interface TokenVocabulary {
  /** One more than the highest id, as many as the model has logits. */
  readonly size: number;
  /** UTF-8 bytes of a token in the middle of a text, possibly part of a character; undefined for one that is no text. */
  bytes(id: number): Uint8Array | undefined;
  /** How a special token is written out, which is no text; undefined for any other, and where nobody knows. */
  special?(id: number): string | undefined;
  /** The ids that end a generation. */
  readonly eosIds: readonly number[];
}

/**
 * The vocabulary of a Hugging Face tokenizer, of SentencePiece's kind with byte fallback or byte-level. Special tokens
 * are no text, nor are ids without a piece.
 * @param options.size rows of the model's output, where they are more than the tokenizer has tokens
 * @param options.eosIds the model's, default the tokenizer's
 */
export function tokenVocabulary(
  tokenizer: Tokenizer,
  options: { readonly size?: number; readonly eosIds?: readonly number[] } = {},
): TokenVocabulary {
  const { eosTokenIds, specialIds } = tokenizer;
  const eosIds = options.eosIds ?? eosTokenIds;
  return {
    size: options.size ?? tokenizer.vocabSize,
    eosIds,
    special(id) {
      return specialIds.has(id) && !eosIds.includes(id)
        ? tokenizer.decode([id], { skipSpecialTokens: false })
        : undefined;
    },
    bytes(id) {
      if (specialIds.has(id) || eosIds.includes(id)) return undefined;
      const bytes = tokenizer.bytesOf(id);
      return bytes.length === 0 ? undefined : bytes;
    },
  };
}
