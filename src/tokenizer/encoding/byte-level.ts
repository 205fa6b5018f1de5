import { Remembered } from './remembered.js';
import { stretches } from './stretches.js';

/**
 * GPT-2's byte-level alphabet, a character for each byte: printable bytes of Latin-1 stand for themselves, the others
 * for U+0100 onwards in order.
 */
export const BYTE_CHARACTERS: readonly string[] = ((): string[] => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return String.fromCharCode(printable ? byte : next++);
  });
})();

const utf8 = new TextEncoder();

/** A text's UTF-8 bytes in that alphabet. */
export function byteLevelText(text: string): string {
  if (/^[\x21-\x7e]*$/.test(text)) return text;
  let result = '';
  for (const byte of utf8.encode(text)) result += BYTE_CHARACTERS[byte];
  return result;
}

/** The same for words, most of which come again. */
export class ByteSpelling {
  readonly #known = new Remembered<string>();
  /** UTF-16 units of the longest word that `of` takes. */
  readonly longest = 2048;

  of(word: string): string {
    return this.#known.get(word) ?? this.#known.set(word, byteLevelText(word));
  }

  *steps(word: string): Generator<void, string> {
    let spelt = '';
    for (const stretch of stretches(word)) {
      spelt += byteLevelText(stretch);
      yield;
    }
    return spelt;
  }
}
