import type { TokenVocabulary } from '../tokenizer/vocabulary.js';

/** A byte that no UTF-8 has: it stands before the name of a special token, which so is told from text like it. */
export const SPECIAL_BYTE = 0xff;

const utf8 = new TextEncoder();

/**
 * A vocabulary whose special tokens are bytes as well, so that a grammar can have places for them. Tokens with that
 * byte in them, which is never part of a text, are left out.
 */
export function withSpecials(vocabulary: TokenVocabulary): TokenVocabulary {
  return {
    size: vocabulary.size,
    eosIds: vocabulary.eosIds,
    bytes(id) {
      const bytes = vocabulary.bytes(id);
      if (bytes !== undefined) return bytes.includes(SPECIAL_BYTE) ? undefined : bytes;
      const name = vocabulary.special?.(id);
      return name === undefined || name === '' ? undefined : Uint8Array.of(SPECIAL_BYTE, ...utf8.encode(name));
    },
  };
}
